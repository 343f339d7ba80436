package sqlite

import (
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
			return fmt.Errorf("locked by another process for more than %v: find the program that keeps a transaction open: %w",
				lockPatience, err)
		}
		select {
		case <-ended:
			return fmt.Errorf("%w: %w", errEnded, err)
		case <-time.After(pause/2 + rand.N(pause)): //nolint:gosec // jitter is no secret
		}
	}
}
