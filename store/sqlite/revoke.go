package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"github.com/magiclink-go/magiclink"
)

// Revoke marks the record as revoked, whether or not it was used or has expired. Revoking again succeeds and keeps the
// first time. It returns [magiclink.ErrNotFound] if there is no such record. A zero time is refused, for it would
// leave the record as it was.
func (s *Store) Revoke(ctx context.Context, id string, at time.Time) error {
	if !mark(at).Valid {
		return errors.New("magiclink/sqlite: revoke: the time is zero")
	}
	const update = "UPDATE magiclink_links SET revoked_at = ? WHERE id = ? AND revoked_at IS NULL"
	return s.write(ctx, "revoke", func(ctx context.Context, conn *sql.Conn) (verdict, failure error) {
		n, err := execRows(ctx, conn, update, at.UnixMilli(), id)
		if err != nil || n > 0 {
			return nil, err
		}
		var exists bool
		const query = "SELECT EXISTS (SELECT 1 FROM magiclink_links WHERE id = ?)"
		if err := conn.QueryRowContext(ctx, query, id).Scan(&exists); err != nil {
			return nil, err
		}
		if !exists {
			return magiclink.ErrNotFound, nil
		}
		return nil, nil // it was revoked before
	})
}
