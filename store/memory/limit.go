package memory

import (
	"context"
	"maps"
	"sync"
	"time"

	"github.com/magiclink-go/magiclink"
)

var (
	_ magiclink.Limiter     = (*Store)(nil)
	_ magiclink.LimitPeeker = (*Store)(nil)
)

// limits holds the theoretical arrival time of each key: see [magiclink.Rate.Take].
type limits struct {
	mu       sync.Mutex
	arrivals map[string]int64
}

// Take takes one from what the rate grants the key. It returns zero if that was granted, and otherwise how long to wait. The counts
// are lost when the process ends.
func (s *Store) Take(ctx context.Context, key string, rate magiclink.Rate, at time.Time) (retryAfter time.Duration, err error) {
	if err := s.usable(ctx); err != nil {
		return 0, failed("take", err)
	}
	if err := rate.Check(key, at); err != nil {
		return 0, failed("take", err)
	}
	s.limits.mu.Lock()
	defer s.limits.mu.Unlock()
	next, retryAfter := rate.Take(s.limits.arrivals[key], at)
	if retryAfter == 0 {
		s.limits.arrivals[key] = next
	}
	return retryAfter, nil
}

// Peek returns the number that is kept for the key, for [magiclink.Rate.Peek]. It is zero for an unknown key.
func (s *Store) Peek(ctx context.Context, key string) (arrival int64, err error) {
	if err := s.usable(ctx); err != nil {
		return 0, failed("peek", err)
	}
	if err := magiclink.CheckLimitKey(key); err != nil {
		return 0, failed("peek", err)
	}
	s.limits.mu.Lock()
	defer s.limits.mu.Unlock()
	return s.limits.arrivals[key], nil
}

// Reset forgets the key: the next Take finds a whole burst. Resetting an unknown key succeeds.
func (s *Store) Reset(ctx context.Context, key string) error {
	if err := s.usable(ctx); err != nil {
		return failed("reset", err)
	}
	if err := magiclink.CheckLimitKey(key); err != nil {
		return failed("reset", err)
	}
	s.limits.mu.Lock()
	defer s.limits.mu.Unlock()
	delete(s.limits.arrivals, key)
	return nil
}

// forgetIdle forgets the keys that grant a whole burst at the given time.
func (l *limits) forgetIdle(before time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	maps.DeleteFunc(l.arrivals, func(_ string, arrival int64) bool { return arrival <= before.UnixMilli() })
}
