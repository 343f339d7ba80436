package sqlite

import (
	"context"
	"errors"
	"time"

	"github.com/magiclink-go/magiclink"
)

// revokeRecord keeps the first time. A revoked record ends at its expiry, whether or not the link was used.
const revokeRecord = `UPDATE magiclink_links SET revoked_at = ifnull(revoked_at, ?), purge_at = expires_at
	WHERE id = ? RETURNING 1`

var errRevokeZero = errors.New("magiclink/sqlite: revoke: the time is zero: pass the time of the revocation")

// Revoke sets RevokedAt of the record, whether or not the link was used or has expired. Revoking again succeeds and keeps
// the first time. It returns [magiclink.ErrNotFound] if there is no such record. It refuses the zero time.
func (s *Store) Revoke(ctx context.Context, id string, at time.Time) error {
	revoke, err := revokeOperation(id, at)
	if err != nil {
		return err
	}
	return s.write(ctx, "revoke", revoke)
}

func revokeOperation(id string, at time.Time) (operation, error) {
	if nullMillis(at) == nil {
		return nil, errRevokeZero
	}
	return func(s *statements) (verdict, failure error) {
		row, err := s.revoke.run(at.UnixMilli(), id)
		if err == nil && row == nil {
			return magiclink.ErrNotFound, nil
		}
		return nil, err
	}, nil
}
