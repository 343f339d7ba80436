package sqlite

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"math"
	"time"

	"github.com/magiclink-go/magiclink"
)

var (
	_ magiclink.Limiter     = (*Store)(nil)
	_ magiclink.LimitPeeker = (*Store)(nil)
)

const (
	selectArrival = "SELECT arrival FROM magiclink_limits WHERE key = ?"
	upsertArrival = "INSERT INTO magiclink_limits (key, arrival) VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET arrival = excluded.arrival"
	deleteLimit   = "DELETE FROM magiclink_limits WHERE key = ? AND arrival <= ?"
	selectIdle    = "SELECT key FROM magiclink_limits WHERE key > ? AND arrival <= ? ORDER BY key LIMIT ?"
)

var errArrival = errors.New("the database did not return a number: restore the tables of magiclink")

// Take takes one from what the rate grants the key. It returns zero if that was granted, and otherwise how long to wait.
//
// It is a write like Create: calls that arrive during a commit share the next one, and what was granted survives a kill of the process and a
// loss of power. A Take that was refused changes nothing and needs no sync of the disk, unless it shares its commit with other calls.
func (s *Store) Take(ctx context.Context, key string, rate magiclink.Rate, at time.Time) (retryAfter time.Duration, err error) {
	return take(key, rate, at, func(run operation) error { return s.write(ctx, "take", run) })
}

func take(key string, rate magiclink.Rate, at time.Time, write func(operation) error) (retryAfter time.Duration, err error) {
	if err := rate.Check(key, at); err != nil {
		return 0, fmt.Errorf("magiclink/sqlite: take: %w", err)
	}
	var wait time.Duration // not the result itself: a caller that has left returns while the operation goes on
	err = write(func(s *statements) (verdict, failure error) {
		wait, failure = s.takeOne([]byte(key), rate, at)
		return nil, failure
	})
	if err != nil {
		return 0, err
	}
	return wait, nil
}

// takeOne runs inside a transaction that holds the lock for writing, so no other process writes between its statements.
func (s *statements) takeOne(key []byte, rate magiclink.Rate, at time.Time) (wait time.Duration, err error) {
	arrival := int64(0)
	row, err := s.arrival.run(key)
	if err != nil {
		return 0, err
	}
	if row != nil {
		c := cells{row: row, ok: true}
		if arrival = c.number(0); !c.ok {
			return 0, errArrival
		}
	}
	next, wait := rate.Take(arrival, at)
	if wait == 0 {
		_, err = s.setArrival.run(key, next)
	}
	return wait, err
}

// Peek returns the number that is kept for the key, for [magiclink.Rate.Peek]. It is zero for an unknown key. Peek does not wait for writes.
func (s *Store) Peek(ctx context.Context, key string) (arrival int64, err error) {
	if err := magiclink.CheckLimitKey(key); err != nil {
		return 0, fmt.Errorf("magiclink/sqlite: peek: %w", err)
	}
	err = s.reads(ctx, func(conn driver.QueryerContext) error {
		arrival = 0
		return eachRow(conn, selectArrival, []driver.Value{[]byte(key)}, func(row []driver.Value) error {
			c := cells{row: row, ok: true}
			if arrival = c.number(0); !c.ok {
				return errArrival
			}
			return nil
		})
	})
	if err != nil {
		return 0, fmt.Errorf("magiclink/sqlite: peek: %w", err)
	}
	return arrival, nil
}

// reads runs a look at the database that a caller waits for.
func (s *Store) reads(ctx context.Context, do func(driver.QueryerContext) error) error {
	if err := s.check(); err != nil {
		return err
	}
	from, err := look(ctx)
	if err != nil {
		return err
	}
	return withCause(ctx, from, s.onReader(from.ended, do))
}

// Reset forgets the key: the next Take finds a whole burst. Resetting an unknown key succeeds.
func (s *Store) Reset(ctx context.Context, key string) error {
	return reset(key, func(run operation) error { return s.write(ctx, "reset", run) })
}

func reset(key string, write func(operation) error) error {
	if err := magiclink.CheckLimitKey(key); err != nil {
		return fmt.Errorf("magiclink/sqlite: reset: %w", err)
	}
	const atAnyTime = math.MaxInt64
	return write(func(s *statements) (verdict, failure error) {
		_, failure = s.removeLimit.run([]byte(key), int64(atAnyTime))
		return nil, failure
	})
}

// forgetIdle forgets the keys that grant a whole burst at the given time. It looks for them without delaying writes.
func (s *Store) forgetIdle(ctx context.Context, before time.Time) error {
	for last := []byte{}; ; {
		idle, err := s.idleKeys(ctx, last, before.UnixMilli())
		if err != nil || len(idle) == 0 {
			return err
		}
		err = s.write(ctx, "purge", func(s *statements) (verdict, failure error) {
			for _, key := range idle {
				if _, err := s.removeLimit.run(key, before.UnixMilli()); err != nil {
					return nil, err
				}
			}
			return nil, nil
		})
		if err != nil || len(idle) < purgeBatch {
			return err
		}
		last = idle[len(idle)-1]
	}
}

func (s *Store) idleKeys(ctx context.Context, after []byte, before int64) (keys [][]byte, err error) {
	err = s.reads(ctx, func(conn driver.QueryerContext) error {
		keys = nil
		return eachRow(conn, selectIdle, []driver.Value{after, before, int64(purgeBatch)}, func(row []driver.Value) error {
			c := cells{row: row, ok: true}
			if keys = append(keys, []byte(c.bytes(0))); !c.ok {
				return errColumnType
			}
			return nil
		})
	})
	if err != nil {
		return nil, fmt.Errorf("magiclink/sqlite: purge: %w", err)
	}
	return keys, nil
}
