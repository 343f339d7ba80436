package sqlite

import (
	"context"
	"database/sql/driver"
	"fmt"
	"slices"
)

// Index is an index that makes [Store.List] and [Store.RevokeSubject] fast where a database has many records. There is none at
// first. Both work without one: they then read the records of all tenants, the newest first, until they have found enough.
// An application with one tenant lists it as fast without ByTenant as with it.
//
// An index belongs to the database and serves every process that uses the database. It makes each Create change one page more. With
// a lone caller that cost 2 to 13 % of the time of a Create. With 64 callers ByTenant cost a tenth where all records have one tenant, and a
// Create took 2.5 to 3 times as long where the values are spread: with 1,000 tenants, or with an address or a business of its
// own for each link. Consume and Get cost the same.
type Index string

// The indexes there can be.
const (
	ByTenant           Index = "magiclink_links_tenant"            // for each query; pays where there are many tenants
	ByEmail            Index = "magiclink_links_email"             // for queries with an Email
	ByBusiness         Index = "magiclink_links_business"          // for queries with a BusinessID
	ByExternalBusiness Index = "magiclink_links_external_business" // for queries with an ExternalBusinessID
)

// indexColumns are the columns of each index between the tenant and the id. An index leaves out records whose value is empty.
var indexColumns = map[Index]string{
	ByTenant: "", ByEmail: "email", ByBusiness: "business_id", ByExternalBusiness: "external_business_id",
}

// CreateIndex makes the index, and does nothing if it is there. It reads all records in one transaction, during which other writes
// wait: a few seconds for each million of them. Writes of other calls fail if they wait for longer than two seconds or their context
// allows, so call CreateIndex before the service starts.
func (s *Store) CreateIndex(ctx context.Context, index Index) error {
	column, known := indexColumns[index]
	if !known {
		return fmt.Errorf("magiclink/sqlite: create index: there is no index %q: use one of the constants", string(index))
	}
	query := fmt.Sprintf("CREATE INDEX IF NOT EXISTS %s ON magiclink_links (tenant_id, id)", index)
	if column != "" {
		query = fmt.Sprintf("CREATE INDEX IF NOT EXISTS %s ON magiclink_links (tenant_id, %s, id) WHERE %s <> ''", index, column, column)
	}
	return s.write(ctx, "create index", func(on *statements) (verdict, failure error) { return nil, on.execute(query) })
}

// Indexes returns the indexes that the database has, sorted by their names.
func (s *Store) Indexes(ctx context.Context) (found []Index, err error) {
	err = s.reads(ctx, func(conn driver.QueryerContext) error {
		there, err := indexes(conn)
		found = found[:0]
		for index := range indexColumns {
			if there[index] {
				found = append(found, index)
			}
		}
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("magiclink/sqlite: indexes: %w", err)
	}
	slices.Sort(found)
	return found, nil
}

// DropIndex removes the index, and does nothing if there is none. The records stay. A List that
// is running at that moment may fail.
func (s *Store) DropIndex(ctx context.Context, index Index) error {
	if _, known := indexColumns[index]; !known {
		return fmt.Errorf("magiclink/sqlite: drop index: there is no index %q: use one of the constants", string(index))
	}
	query := fmt.Sprintf("DROP INDEX IF EXISTS %s", index)
	return s.write(ctx, "drop index", func(on *statements) (verdict, failure error) { return nil, on.execute(query) })
}

// execute runs a statement that is not needed again.
func (s *statements) execute(query string) error {
	prepared, err := prepareStatement(s.conn, query)
	if err != nil {
		return err
	}
	defer func() { _ = prepared.stmt.Close() }()
	_, err = prepared.run()
	return err
}

// indexes returns the indexes that the database has.
func indexes(conn driver.QueryerContext) (map[Index]bool, error) {
	const query = "SELECT name FROM sqlite_schema WHERE type = 'index' AND tbl_name = 'magiclink_links'"
	found := map[Index]bool{}
	err := eachRow(conn, query, nil, func(row []driver.Value) error {
		c := cells{row: row, ok: true}
		found[Index(c.text(0))] = true
		return nil
	})
	return found, err
}
