package sqlite

import (
	"context"
	"database/sql"

	"github.com/magiclink-go/magiclink"
)

// Create stores a new record. It returns [magiclink.ErrExists] if the id is taken.
func (s *Store) Create(ctx context.Context, record magiclink.Record) error {
	const insert = "INSERT INTO magiclink_links (" + columns + `) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
		ON CONFLICT (id) DO NOTHING`
	return s.write(ctx, "create", func(ctx context.Context, conn *sql.Conn) (verdict, failure error) {
		n, err := execRows(ctx, conn, insert, values(&record)...)
		if err == nil && n == 0 {
			return magiclink.ErrExists, nil
		}
		return nil, err
	})
}

// execRows returns how many rows the statement has changed.
func execRows(ctx context.Context, conn *sql.Conn, query string, args ...any) (int64, error) {
	result, err := conn.ExecContext(ctx, query, args...)
	if err != nil {
		return 0, err
	}
	return result.RowsAffected()
}
