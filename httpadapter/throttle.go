package httpadapter

import (
	"hash/maphash"
	"sync"
	"time"
)

const (
	throttleBurst      = 10              // failures that are allowed at once
	throttleRefill     = 6 * time.Second // until one more failure is allowed
	throttleGeneration = 16384           // names that a generation remembers; two generations are kept
)

// throttle counts failures by name in token buckets. It remembers a bounded number of names, as hashes of one size: when
// one generation of names is full, the generation before it is forgotten. So a flood of names shortens for how long a name
// is throttled, but takes no memory and throttles no other name.
type throttle struct {
	seed     maphash.Seed
	mu       sync.Mutex
	new, old map[uint64]bucket
}

// bucket is how many failures are left at a time. It fills up as time passes.
type bucket struct {
	at   time.Time
	left float64
}

func newThrottle() *throttle {
	return &throttle{seed: maphash.MakeSeed(), new: make(map[uint64]bucket)}
}

// wait returns how long to wait until the name may try again; zero means now.
func (t *throttle) wait(name string, now time.Time) time.Duration {
	t.mu.Lock()
	defer t.mu.Unlock()
	b := t.find(maphash.String(t.seed, name), now)
	if b.left >= 1 {
		return 0
	}
	return time.Duration((1 - b.left) * float64(throttleRefill))
}

// fail counts a failure of the name.
func (t *throttle) fail(name string, now time.Time) {
	t.mu.Lock()
	defer t.mu.Unlock()
	key := maphash.String(t.seed, name)
	b := t.find(key, now)
	b.left = max(-throttleBurst, b.left-1) // below zero: attempts that were under way at once
	if len(t.new) >= throttleGeneration {
		t.new, t.old = make(map[uint64]bucket), t.new
	}
	t.new[key] = b
}

// find returns the bucket of a key as it is now. A clock that was set back fills nothing.
func (t *throttle) find(key uint64, now time.Time) bucket {
	b, found := t.new[key]
	if !found {
		b, found = t.old[key]
	}
	if !found {
		return bucket{at: now, left: throttleBurst}
	}
	if passed := now.Sub(b.at); passed > 0 {
		b.left = min(throttleBurst, b.left+float64(passed)/float64(throttleRefill))
		b.at = now
	}
	return b
}
