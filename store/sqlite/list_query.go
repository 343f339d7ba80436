package sqlite

import (
	"database/sql/driver"

	"github.com/magiclink-go/magiclink"
)

// The conditions below are [magiclink.Record.State] in SQL, for a record in magiclink_links.
const (
	consumedAt  = "(SELECT consumed_at FROM magiclink_uses WHERE magiclink_uses.id = magiclink_links.id)"
	wasNotUsed  = " AND revoked_at IS NULL AND " + consumedAt + " IS NULL"
	wasUsed     = " AND revoked_at IS NULL AND " + consumedAt + " IS NOT NULL"
	wasRevoked  = " AND revoked_at IS NOT NULL"
	notRevoked  = " AND revoked_at IS NULL"
	stillValid  = " AND expires_at > ?"
	hasExpired  = " AND expires_at <= ?"
	sessionLast = " AND " + sessionEnd + " > ?"
)

// newListing sorts the conditions of a query into those that one of the indexes fulfils and the others. Every value is an
// argument, so no text of a caller is ever part of the SQL.
func newListing(q magiclink.ListQuery, there map[Index]bool) *listing {
	l := &listing{table: "magiclink_links"}
	index := bestIndex(q, there)
	if index != "" {
		l.table += " INDEXED BY " + string(index)
		l.key("tenant_id", q.TenantID)
	} else {
		l.filter(" AND tenant_id = ?", q.TenantID)
	}
	for _, field := range []struct {
		index Index
		value string
	}{{ByEmail, q.Email}, {ByBusiness, q.BusinessID}, {ByExternalBusiness, q.ExternalBusinessID}} {
		column := indexColumns[field.index]
		switch {
		case field.value == "":
		case field.index == index:
			l.key(column, field.value)
			l.keys += " AND " + column + " <> ''" // as the index says: SQLite does not look at the argument
		default:
			l.filter(" AND "+column+" = ?", field.value)
		}
	}
	if !q.IssuedFrom.IsZero() {
		l.filter(" AND created_at >= ?", q.IssuedFrom.UnixMilli())
	}
	if !q.IssuedBefore.IsZero() {
		l.filter(" AND created_at < ?", q.IssuedBefore.UnixMilli())
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
		l.filter(wasNotUsed+stillValid, at)
	case magiclink.StateExpired:
		l.filter(wasNotUsed+hasExpired, at)
	case magiclink.StateUsed:
		l.filter(wasUsed)
	case magiclink.StateSession:
		l.filter(wasUsed+sessionLast, at)
	case magiclink.StateRevoked:
		l.filter(wasRevoked)
	}
}

func (l *listing) key(column string, value driver.Value) {
	l.keys += " AND " + column + " = ?"
	l.keyArgs = append(l.keyArgs, value)
}

func (l *listing) filter(condition string, args ...driver.Value) {
	l.filters += condition
	l.filterArgs = append(l.filterArgs, args...)
}
