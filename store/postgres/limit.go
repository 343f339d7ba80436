package postgres

import (
	"context"
	"time"

	"github.com/magiclink-go/magiclink"
)

var (
	_ magiclink.Limiter     = (*Store)(nil)
	_ magiclink.LimitPeeker = (*Store)(nil)
)

// forgetIdleSQL looks at the next keys after $1 and forgets those that are idle at the time $2. It returns the last key that it has
// looked at.
const forgetIdleSQL = `WITH next AS (
		SELECT key FROM {limits} WHERE key > $1 ORDER BY key LIMIT $3
	), idle AS (
		SELECT key FROM {limits} JOIN next USING (key) WHERE arrival <= $2 FOR UPDATE OF magiclink_limits SKIP LOCKED
	), gone AS (
		DELETE FROM {limits} AS kept USING idle WHERE kept.key = idle.key
	)
	SELECT key FROM next ORDER BY key DESC LIMIT 1`

// Take takes one from what the rate grants the key. It returns zero if that was granted, and otherwise how long to wait. Takes that
// arrive at the same time share statements, as Creates do. A Take that is granted is committed as a Create is; one that is refused
// writes nothing.
func (s *Store) Take(ctx context.Context, key string, rate magiclink.Rate, at time.Time) (retryAfter time.Duration, err error) {
	if !s.usable() {
		return 0, failed("take", errNoStore)
	}
	if err := rate.Check(key, at); err != nil {
		return 0, failed("take", err)
	}
	c := &call{send: s.sql.sendTake, id: key, rate: rate, at: at}
	if err := s.do(ctx, "take", s.limits, c); err != nil {
		return 0, err
	}
	return c.wait, nil
}

// Peek returns the number that is kept for the key, for [magiclink.Rate.Peek]. It is zero for an unknown key.
func (s *Store) Peek(ctx context.Context, key string) (arrival int64, err error) {
	if !s.usable() {
		return 0, failed("peek", errNoStore)
	}
	if err := magiclink.CheckLimitKey(key); err != nil {
		return 0, failed("peek", err)
	}
	number := int64(0) // not the result itself: after an error, send may go on
	err = s.lookUp(ctx, "peek", func(ctx context.Context, q querier, _ []*call) error {
		number = 0
		rows, err := q.Query(ctx, s.sql.peekLimit, freshPlan(q), []byte(key))
		if err != nil {
			return err
		}
		return eachRow(rows, func() error { return rows.Scan(&number) })
	})
	if err != nil {
		return 0, err
	}
	return number, nil
}

// Reset forgets the key: the next Take finds a whole burst. Resetting an unknown key succeeds.
func (s *Store) Reset(ctx context.Context, key string) error {
	if !s.usable() {
		return failed("reset", errNoStore)
	}
	if err := magiclink.CheckLimitKey(key); err != nil {
		return failed("reset", err)
	}
	send := func(ctx context.Context, q querier, _ []*call) error {
		_, err := q.Exec(ctx, s.sql.removeLimit, []byte(key))
		return err
	}
	return s.do(ctx, "reset", s.single, &call{send: send})
}

// forgetIdle forgets the keys that grant a whole burst at the given time.
func (s *Store) forgetIdle(ctx context.Context, before time.Time) error {
	for last := []byte{}; last != nil; {
		var next []byte
		after := last
		send := func(ctx context.Context, q querier, _ []*call) error {
			next = nil
			rows, err := q.Query(ctx, s.sql.forgetIdle, freshPlan(q), after, before.UnixMilli(), purgeBatch)
			if err != nil {
				return err
			}
			return eachRow(rows, func() error { return scan(rows, &next) })
		}
		if err := s.do(ctx, "purge", s.single, &call{send: send}); err != nil {
			return err
		}
		last = next
	}
	return nil
}
