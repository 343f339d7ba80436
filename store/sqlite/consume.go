package sqlite

import (
	"context"
	"errors"
	"time"

	"github.com/magiclink-go/magiclink"
)

const (
	consumeRecord = `UPDATE magiclink_links SET consumed_at = ?1
		WHERE id = ?2 AND revoked_at IS NULL AND consumed_at IS NULL AND expires_at > ?1
		RETURNING ` + columns
	selectState = "SELECT revoked_at IS NOT NULL, consumed_at IS NOT NULL FROM magiclink_links WHERE id = ?"
)

// Consume marks the record as used and returns it as it is afterwards. Of racing calls, in this process and in others,
// exactly one succeeds. It returns [magiclink.ErrNotFound], [magiclink.ErrRevoked], [magiclink.ErrConsumed] or
// [magiclink.ErrExpired], the first of them that holds. A zero time is refused, for it would leave the record unused.
func (s *Store) Consume(ctx context.Context, id string, at time.Time) (magiclink.Record, error) {
	if mark(at) == nil {
		return magiclink.Record{}, errors.New("magiclink/sqlite: consume: the time is zero")
	}
	var consumed magiclink.Record
	err := s.write(ctx, "consume", func(s *session) (verdict, failure error) {
		row, err := s.consume.run(at.UnixMilli(), id)
		if err != nil {
			return nil, err
		}
		if row == nil {
			return s.refusal(id)
		}
		consumed, err = record(row)
		return nil, err
	})
	if err != nil {
		return magiclink.Record{}, err
	}
	return consumed, nil
}

// refusal returns why the record could not be consumed, in the transaction in which that was tried.
func (s *session) refusal(id string) (verdict, failure error) {
	row, err := s.state.run(id)
	switch {
	case err != nil:
		return nil, err
	case row == nil:
		return magiclink.ErrNotFound, nil
	case row[0] == int64(1):
		return magiclink.ErrRevoked, nil
	case row[1] == int64(1):
		return magiclink.ErrConsumed, nil
	default:
		return magiclink.ErrExpired, nil
	}
}
