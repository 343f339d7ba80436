package postgres

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"

	"github.com/magiclink-go/magiclink"
)

// The conditions below are [magiclink.Record.State] in SQL.
const (
	wasNotUsed = " AND revoked_at IS NULL AND consumed_at IS NULL"
	wasUsed    = " AND revoked_at IS NULL AND consumed_at IS NOT NULL"
	wasRevoked = " AND revoked_at IS NOT NULL"
	notRevoked = " AND revoked_at IS NULL"
)

// listing is a query in SQL. Every value is an argument, so no text of a caller is ever part of the SQL.
//
// The columns of the chosen index are compared as a row, and the order names all of them. So no other index gives the order, and the
// planner expects many rows, whatever it knows of the values. With equalities instead it may expect few, and then reads and sorts all.
type listing struct {
	table   string
	columns []string // those of the index; the last is the id
	values  []string // the arguments for the columns before the id
	partial string   // the condition of the index
	filters string   // the conditions that the index does not fulfil
	args    pgx.NamedArgs
}

func newListing(s schema, q magiclink.ListQuery, there map[Index]bool) *listing {
	l := &listing{table: s.table(linksTable), args: pgx.NamedArgs{}}
	index := bestIndex(q, there)
	for _, field := range []struct {
		index Index
		value string
	}{{ByEmail, q.Email}, {ByBusiness, q.BusinessID}, {ByExternalBusiness, q.ExternalBusinessID}} {
		column := indexColumns[field.index]
		switch {
		case field.value == "":
		case field.index == index:
			l.column(column, field.value)
			l.partial = " AND " + column + " <> ''"
		default:
			l.filter(" AND "+column+" = %s", escape(field.value))
		}
	}
	if index != "" {
		l.column("tenant_id", q.TenantID)
	} else {
		l.filter(" AND tenant_id = %s", escape(q.TenantID))
	}
	l.columns = append(l.columns, "id")
	if !q.IssuedFrom.IsZero() {
		l.filter(" AND created_at >= %s", q.IssuedFrom.UnixMilli())
	}
	if !q.IssuedBefore.IsZero() {
		l.filter(" AND created_at < %s", q.IssuedBefore.UnixMilli())
	}
	l.filterState(q.State, q.At.UnixMilli())
	return l
}

// bestIndex returns the index that leaves the fewest records to look through, or none.
func bestIndex(q magiclink.ListQuery, there map[Index]bool) Index {
	switch {
	case q.Email != "" && there[ByEmail]:
		return ByEmail
	case q.BusinessID != "" && there[ByBusiness]:
		return ByBusiness
	case q.ExternalBusinessID != "" && there[ByExternalBusiness]:
		return ByExternalBusiness
	case there[ByTenant]:
		return ByTenant
	}
	return ""
}

func (l *listing) filterState(state magiclink.State, at int64) {
	switch state {
	case magiclink.StateLive:
		l.filter(wasNotUsed+" AND expires_at > %s", at)
	case magiclink.StateExpired:
		l.filter(wasNotUsed+" AND expires_at <= %s", at)
	case magiclink.StateUsed:
		l.filters += wasUsed
	case magiclink.StateSession:
		l.filter(wasUsed+" AND consumed_at + session_timeout * 1000 > %s", at)
	case magiclink.StateRevoked:
		l.filters += wasRevoked
	}
}

// column adds a column of the index.
func (l *listing) column(name, value string) {
	l.columns, l.values = append(l.columns, name), append(l.values, "@"+name)
	l.args[name] = escape(value)
}

// filter adds a condition with one argument.
func (l *listing) filter(condition string, arg any) {
	name := fmt.Sprintf("filter%d", len(l.args))
	l.args[name] = arg
	l.filters += fmt.Sprintf(condition, "@"+name)
}

// stepSQL reads the next rows of the index, and returns how many these are, the last id of them, and those that pass the filters.
// There is one row of NULLs if none passes. The planner does not see the filters beside the index: where it expects that few rows pass
// them, it would read all of the table.
func (l *listing) stepSQL(before string) string {
	return "WITH step AS MATERIALIZED (SELECT " + columns + " FROM " + l.table + " WHERE " + l.between(before) +
		" ORDER BY " + strings.Join(l.columns, " DESC, ") + " DESC LIMIT @length::bigint)" +
		" SELECT count, last, found.* FROM (SELECT count(*) AS count, coalesce(min(id), '') AS last FROM step) AS whole" +
		" LEFT JOIN (SELECT * FROM step WHERE true" + l.filters + " ORDER BY id DESC LIMIT @limit::bigint) AS found ON true"
}

// between returns the condition for the rows of the index from the id @before on. The empty id is no bound.
func (l *listing) between(before string) string {
	row := func(list []string) string { return "(" + strings.Join(list, ", ") + ")" }
	var bounds []string
	if before != "" {
		bounds = append(bounds, row(l.columns)+" < "+row(append(slices.Clone(l.values), "@before")))
	} else if len(l.values) > 0 {
		bounds = append(bounds, row(l.columns[:len(l.values)])+" <= "+row(l.values))
	}
	if len(l.values) > 0 {
		bounds = append(bounds, row(l.columns)+" >= "+row(append(slices.Clone(l.values), "''")))
	}
	return strings.Join(append(bounds, "true"), " AND ") + l.partial
}

// arguments returns those of one statement. Pgx leaves out what the statement does not name.
func (l *listing) arguments(before string, length, limit int) pgx.NamedArgs {
	args := maps.Clone(l.args)
	args["before"], args["length"], args["limit"] = escape(before), length, limit
	return args
}
