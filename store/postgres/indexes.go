package postgres

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"
)

// Index is an index that makes [Store.List] and [Store.RevokeSubject] fast where the table has many records. There is none at
// first. Both work without one: they then read the records of all tenants, the newest first, until they have found enough.
// An application with one tenant lists it as fast without ByTenant as with it.
//
// An index belongs to the database and serves every process that uses the database. Measured beside 300,000 links, each alone, an index
// made Create slower by 1 to 9 % for a lone caller. With 64 callers it made Create slower by a tenth (ByTenant, where all records have one
// tenant) to 40 % (where the values are spread), and Consume by 15 to 25 %.
type Index string

// The indexes there can be.
const (
	ByTenant           Index = "magiclink_links_tenant"            // for each query; pays where there are many tenants
	ByEmail            Index = "magiclink_links_email"             // for queries with an Email
	ByBusiness         Index = "magiclink_links_business"          // for queries with a BusinessID
	ByExternalBusiness Index = "magiclink_links_external_business" // for queries with an ExternalBusinessID
)

// indexColumns are the columns of each index before the tenant and the id. An index leaves out records whose value is empty. The tenant
// comes second so that no query can use the index ByTenant in place of a better one.
var indexColumns = map[Index]string{
	ByTenant: "", ByEmail: "email", ByBusiness: "business_id", ByExternalBusiness: "external_business_id",
}

// CreateIndex makes the index, and does nothing if it is there. It uses CREATE INDEX CONCURRENTLY, so other calls go on meanwhile. It
// waits for transactions that are open, and it ends only with its context, not with [Options] Timeout. The role must own the table.
//
// Behind a pooler that limits the time of a statement, create the index with a tool of your own: the name is that of the constant, in the
// schema of the table.
func (s *Store) CreateIndex(ctx context.Context, index Index) error {
	column, known := indexColumns[index]
	if !known {
		return failed("create index", fmt.Errorf("there is no index %q: use one of the constants", string(index)))
	}
	if !s.usable() {
		return failed("create index", errNoStore)
	}
	columns, where := "tenant_id, id", ""
	if column != "" {
		columns, where = column+", tenant_id, id", " WHERE "+column+" <> ''"
	}
	there, err := s.indexes(ctx)
	if err != nil || there[index] {
		return err
	}
	return s.define(ctx, "create index",
		"DROP INDEX IF EXISTS "+s.schema.table(string(index)), // one that an interrupted CreateIndex has left behind
		fmt.Sprintf("CREATE INDEX CONCURRENTLY %s ON %s (%s)%s", pgx.Identifier{string(index)}.Sanitize(), s.schema.table(linksTable), columns, where))
}

// Indexes returns the indexes that the table has and that can be used, sorted by their names.
func (s *Store) Indexes(ctx context.Context) (found []Index, err error) {
	if !s.usable() {
		return nil, failed("indexes", errNoStore)
	}
	there, err := s.indexes(ctx)
	if err != nil {
		return nil, err
	}
	for index := range indexColumns {
		if there[index] {
			found = append(found, index)
		}
	}
	slices.Sort(found)
	return found, nil
}

// DropIndex removes the index, and does nothing if there is none. The records stay.
func (s *Store) DropIndex(ctx context.Context, index Index) error {
	if _, known := indexColumns[index]; !known {
		return failed("drop index", fmt.Errorf("there is no index %q: use one of the constants", string(index)))
	}
	if !s.usable() {
		return failed("drop index", errNoStore)
	}
	return s.define(ctx, "drop index", "DROP INDEX CONCURRENTLY IF EXISTS "+s.schema.table(string(index)))
}

// define carries out statements that change the schema, each as a transaction of its own. They are not for the runners, which cut a
// statement that takes long.
func (s *Store) define(ctx context.Context, name string, statements ...string) error {
	if err := ctx.Err(); err != nil {
		return failed(name, err)
	}
	conn, err := s.pool.connections.Acquire(ctx)
	if err != nil {
		return failed(name, err)
	}
	defer conn.Release()
	for _, statement := range statements {
		if _, err := conn.Conn().PgConn().Exec(ctx, statement).ReadAll(); err != nil {
			return failed(name, withAdvice(err))
		}
	}
	return nil
}

const indexesSQL = `SELECT class.relname::text FROM pg_catalog.pg_index AS index JOIN pg_catalog.pg_class AS class ON class.oid = index.indexrelid
	WHERE index.indrelid = $1::text::regclass AND index.indisvalid`

// indexes returns the indexes that can be used.
func (s *Store) indexes(ctx context.Context) (map[Index]bool, error) {
	found := map[Index]bool{}
	err := s.lookUp(ctx, "list", func(ctx context.Context, q querier, _ []*call) error {
		clear(found)
		rows, err := q.Query(ctx, indexesSQL, freshPlan(q), s.schema.table(linksTable))
		if err != nil {
			return err
		}
		var name string
		return eachRow(rows, func() error {
			err := rows.Scan(&name)
			found[Index(strings.Clone(name))] = true
			return err
		})
	})
	if err != nil {
		return nil, err
	}
	return found, nil
}

// lookUp carries out a read of several rows. Send may run more than once, and may go on when lookUp has returned an error.
func (s *Store) lookUp(ctx context.Context, name string, send sendFunc) error {
	return s.do(ctx, name, s.single, &call{send: send, reads: true})
}
