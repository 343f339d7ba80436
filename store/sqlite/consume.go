package sqlite

import (
	"context"
	"errors"
	"time"

	"github.com/magiclink-go/magiclink"
)

// advancePurge keeps the rule that purge_at is never later than the end of the record.
const advancePurge = "UPDATE magiclink_links SET purge_at = ? WHERE id = ?"

var (
	errConsumeZero = errors.New("magiclink/sqlite: consume: the time is zero: pass the time of the redemption")
	errUseVanished = errors.New("the table magiclink_uses refuses a use that it does not hold: restore the tables of magiclink")
)

// Consume sets ConsumedAt and ConsumedBy of the record and returns the record with both. Of racing calls with different by,
// in this process and in others, exactly one succeeds. A call with the same non-empty by as the call that consumed the
// record returns the record again and changes nothing.
//
// It returns [magiclink.ErrNotFound], [magiclink.ErrRevoked], [magiclink.ErrConsumed] or [magiclink.ErrExpired], the first of
// them that holds. It refuses the zero time.
func (s *Store) Consume(ctx context.Context, id string, at time.Time, by string) (magiclink.Record, error) {
	return consume(id, at, by, func(run operation) error { return s.write(ctx, "consume", run) })
}

// consume carries out a Consume with write.
func consume(id string, at time.Time, by string, write func(operation) error) (magiclink.Record, error) {
	if nullMillis(at) == nil {
		return magiclink.Record{}, errConsumeZero
	}
	at = fromMillis(at.UnixMilli())
	var consumed magiclink.Record
	err := write(func(s *statements) (verdict, failure error) {
		consumed, verdict, failure = s.consumeOnce(id, at, by)
		return verdict, failure
	})
	if err != nil {
		return magiclink.Record{}, err
	}
	return consumed, nil
}

// consumeOnce runs inside a transaction that holds the lock for writing, so no other process writes between its statements. A use
// that is there is found by the insertion of another one, so the usual redemption looks into magiclink_uses once.
func (s *statements) consumeOnce(id string, at time.Time, by string) (r magiclink.Record, verdict, failure error) {
	row, err := s.link.run(id)
	if err != nil {
		return r, nil, err
	}
	if row == nil {
		return r, magiclink.ErrNotFound, nil
	}
	if r, err = readLink(row); err != nil {
		return r, nil, err
	}
	if r.Verdict(at, by) != nil {
		return s.judge(id, at, by) // an expired link may be used as well: then the verdict is that it was used
	}
	r.ConsumedAt, r.ConsumedBy = at, by
	if _, err := s.use.run(id, at.UnixMilli(), by); isTaken(err) {
		return s.judge(id, at, by)
	} else if err != nil {
		return r, nil, err
	}
	if r.End().Before(r.ExpiresAt) { // rare: the session is shorter than the rest of the link's life
		_, err = s.advancePurge.run(r.End().UnixMilli(), id)
	}
	return r, nil, err
}

// judge answers for a record that cannot be consumed any more. It lets nobody in but the caller that consumed the record.
func (s *statements) judge(id string, at time.Time, by string) (r magiclink.Record, verdict, failure error) {
	row, err := s.get.run(id)
	if err != nil {
		return r, nil, err
	}
	if row == nil {
		return r, magiclink.ErrNotFound, nil
	}
	if r, err = readRecord(row); err != nil {
		return r, nil, err
	}
	verdict = r.Verdict(at, by)
	if verdict == nil && r.ConsumedAt.IsZero() {
		return r, nil, errUseVanished
	}
	return r, verdict, nil
}
