package sqlite

import (
	"context"
	"errors"
	"time"

	"github.com/magiclink-go/magiclink"
)

// The first time stays.
const revokeRecord = "UPDATE magiclink_links SET revoked_at = ifnull(revoked_at, ?) WHERE id = ? RETURNING 1"

// Revoke marks the record as revoked, whether or not it was used or has expired. Revoking again succeeds and keeps the
// first time. It returns [magiclink.ErrNotFound] if there is no such record. A zero time is refused, for it would
// leave the record as it was.
func (s *Store) Revoke(ctx context.Context, id string, at time.Time) error {
	if mark(at) == nil {
		return errors.New("magiclink/sqlite: revoke: the time is zero")
	}
	return s.write(ctx, "revoke", func(s *session) (verdict, failure error) {
		row, err := s.revoke.run(at.UnixMilli(), id)
		if err == nil && row == nil {
			return magiclink.ErrNotFound, nil
		}
		return nil, err
	})
}
