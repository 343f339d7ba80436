package sqlite

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/mattn/go-sqlite3"
)

const (
	// lockPatience is how long a call waits for a lock that another process holds.
	lockPatience = 2 * time.Second
	// The pauses between two attempts grow from the first to the longest. They stay short because a process that
	// writes without pause leaves the lock free for some microseconds at a time: whoever looks rarely gets it never.
	firstPause   = 100 * time.Microsecond
	longestPause = 2 * time.Millisecond
)

// patience is the moment until which a call waits for locks. SQLite's own waiting is switched off: it is deaf to a
// context.
type patience time.Time

func newPatience() patience { return patience(time.Now().Add(lockPatience)) }

func (p patience) over() bool { return !time.Now().Before(time.Time(p)) }

// wait calls try until it meets no lock, the context ends or patience is over. It calls it at least once.
func (p patience) wait(ctx context.Context, try func() error) error {
	for pause := firstPause; ; pause = min(2*pause, longestPause) {
		err := try()
		if !isLocked(err) {
			return err
		}
		if p.over() {
			return fmt.Errorf("locked by another process for more than %v: %w", lockPatience, err)
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("%w (%w)", ctx.Err(), err)
		case <-time.After(pause/2 + rand.N(pause)): //nolint:gosec // jitter is no secret
		}
	}
}

func isLocked(err error) bool {
	failure, ok := errors.AsType[sqlite3.Error](err)
	return ok && (failure.Code == sqlite3.ErrBusy || failure.Code == sqlite3.ErrLocked)
}
