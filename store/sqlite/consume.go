package sqlite

import (
	"context"
	"errors"
	"time"

	"github.com/magiclink-go/magiclink"
)

const insertUse = "INSERT INTO magiclink_uses (id, consumed_at) VALUES (?, ?)"

// Consume marks the record as used and returns it as it is afterwards. Of racing calls, in this process and in others,
// exactly one succeeds. It returns [magiclink.ErrNotFound], [magiclink.ErrRevoked], [magiclink.ErrConsumed] or
// [magiclink.ErrExpired], the first of them that holds. A zero time is refused, for it would leave the record unused.
func (s *Store) Consume(ctx context.Context, id string, at time.Time) (magiclink.Record, error) {
	if mark(at) == nil {
		return magiclink.Record{}, errors.New("magiclink/sqlite: consume: the time is zero")
	}
	at = moment(at.UnixMilli())
	var consumed magiclink.Record
	err := s.write(ctx, "consume", func(s *session) (verdict, failure error) {
		row, err := s.get.run(id)
		if err != nil {
			return nil, err
		}
		if row == nil {
			return magiclink.ErrNotFound, nil
		}
		if consumed, err = record(row); err != nil {
			return nil, err
		}
		if verdict := refusal(&consumed, at); verdict != nil {
			return verdict, nil
		}
		// No other process writes between the two statements, and if one could, the primary key would refuse a second use.
		_, err = s.use.run(id, at.UnixMilli())
		consumed.ConsumedAt = at
		return nil, err
	})
	if err != nil {
		return magiclink.Record{}, err
	}
	return consumed, nil
}

// refusal returns why the record cannot be consumed, or nil if it can.
func refusal(r *magiclink.Record, at time.Time) error {
	switch {
	case !r.RevokedAt.IsZero():
		return magiclink.ErrRevoked
	case !r.ConsumedAt.IsZero():
		return magiclink.ErrConsumed
	case !at.Before(r.ExpiresAt):
		return magiclink.ErrExpired
	}
	return nil
}
