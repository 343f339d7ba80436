package sqlite

import (
	"context"
	"errors"
	"time"

	"github.com/magiclink-go/magiclink"
)

const (
	insertLink = "INSERT INTO magiclink_links (" + columns + ", purge_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
	insertUse  = "INSERT INTO magiclink_uses (id, consumed_at, consumed_by) VALUES (?, ?, ?)"
)

var errUseWithoutTime = errors.New("magiclink/sqlite: create: the record has ConsumedBy without ConsumedAt: set both or neither")

// Create stores a new record with all its fields. It returns [magiclink.ErrExists] if the id is taken. It refuses a record
// that has ConsumedBy without ConsumedAt.
func (s *Store) Create(ctx context.Context, r magiclink.Record) error {
	create, err := createOperation(r)
	if err != nil {
		return err
	}
	return s.write(ctx, "create", create)
}

func createOperation(r magiclink.Record) (operation, error) {
	r = r.Canonical()
	if r.ConsumedAt.IsZero() && r.ConsumedBy != "" {
		return nil, errUseWithoutTime
	}
	return func(s *statements) (verdict, failure error) {
		_, err := s.insert.run(
			r.ID, r.TenantID, r.BusinessID, r.ExternalBusinessID, r.Email, r.Path,
			int64(r.SessionTimeout/time.Second), []byte(r.Extension),
			r.CreatedAt.UnixMilli(), r.ExpiresAt.UnixMilli(), nullMillis(r.RevokedAt), r.End().UnixMilli(),
		)
		if isTaken(err) {
			return magiclink.ErrExists, nil // SQLite has undone this statement alone; the transaction goes on
		}
		if err == nil && !r.ConsumedAt.IsZero() {
			_, err = s.use.run(r.ID, r.ConsumedAt.UnixMilli(), r.ConsumedBy)
		}
		return nil, err
	}, nil
}
