package sqlite

import (
	"context"
	"errors"
	"time"

	"github.com/mattn/go-sqlite3"

	"github.com/magiclink-go/magiclink"
)

const insertRecord = "INSERT INTO magiclink_links (" + columns + ") VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"

// Create stores a new record. It returns [magiclink.ErrExists] if the id is taken.
func (s *Store) Create(ctx context.Context, r magiclink.Record) error {
	return s.write(ctx, "create", func(s *session) (verdict, failure error) {
		_, err := s.insert.run(
			r.ID, r.TenantID, r.BusinessID, r.ExternalBusinessID, r.Email, r.Path,
			int64(r.SessionTimeout/time.Second), r.CreatedAt.UnixMilli(), r.ExpiresAt.UnixMilli(), mark(r.RevokedAt),
		)
		if isTaken(err) {
			return magiclink.ErrExists, nil // SQLite has undone the statement alone; the transaction goes on
		}
		if used := mark(r.ConsumedAt); err == nil && used != nil {
			_, err = s.use.run(r.ID, used)
		}
		return nil, err
	})
}

func isTaken(err error) bool {
	failure, ok := errors.AsType[sqlite3.Error](err)
	return ok && failure.ExtendedCode == sqlite3.ErrConstraintPrimaryKey
}
