package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"
)

const (
	// lockPatience is how long a call waits for a lock that another process holds.
	lockPatience = 2 * time.Second
	// The pauses between two attempts grow from the first to the longest. They stay short: a process that writes without pause
	// leaves the lock free for some microseconds at a time, and a process that polls rarely never gets the lock.
	firstPause   = 100 * time.Microsecond
	longestPause = 2 * time.Millisecond
	// moment is how late a call that waits for a connection of the pool may notice that its context has ended.
	moment = 5 * time.Millisecond
)

// patience is the moment until which a call waits for locks. SQLite's own waiting is switched off, because it does not end
// with a context.
type patience time.Time

func newPatience() patience { return patience(time.Now().Add(lockPatience)) }

func (p patience) over() bool { return !time.Now().Before(time.Time(p)) }

// wait calls try until it meets no lock, the caller's context has ended, or patience is over. It calls try at least once. Its
// error matches errEnded if the context has ended.
func (p patience) wait(ended <-chan struct{}, try func() error) error {
	for pause := firstPause; ; pause = min(2*pause, longestPause) {
		err := try()
		if !isLocked(err) {
			return err
		}
		if p.over() {
			return fmt.Errorf("locked by another process, or by a transaction of this one, for more than %v: find what keeps a transaction open: %w",
				lockPatience, err)
		}
		select {
		case <-ended:
			return fmt.Errorf("%w: %w", errEnded, err)
		case <-time.After(pause/2 + rand.N(pause)): //nolint:gosec // jitter is no secret
		}
	}
}

// connection takes a connection of the pool. It waits for one until the caller's context has ended, or patience is over: who
// waits may have all the connections itself, in transactions that do not end before the call returns.
func (p patience) connection(ended <-chan struct{}, db *sql.DB) (*sql.Conn, error) {
	if conn, err := atOnce(db); !errors.Is(err, context.DeadlineExceeded) {
		return conn, err
	}
	ctx, cancel := context.WithDeadline(endedContext{ended}, time.Time(p))
	defer cancel()
	conn, err := db.Conn(ctx)
	if errors.Is(err, context.DeadlineExceeded) {
		return nil, fmt.Errorf("all connections of the pool were in use for more than %v: raise SetMaxOpenConns: %w", lockPatience, err)
	}
	return conn, err
}

// atOnce takes a connection of the pool if that takes no longer than a moment. A context that ends with another one and at a
// moment costs a goroutine, which a read of one record is not worth; nearly always there is a free connection.
func atOnce(db *sql.DB) (*sql.Conn, error) {
	over := make(chan struct{})
	timer := time.AfterFunc(moment, func() { close(over) })
	defer timer.Stop()
	return db.Conn(momentContext{endedContext{over}})
}

// momentContext is a context that ends by its time.
type momentContext struct{ endedContext }

// Err returns the error of a deadline.
func (c momentContext) Err() error {
	if hasEnded(c.ended) {
		return context.DeadlineExceeded
	}
	return nil
}
