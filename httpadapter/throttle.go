package httpadapter

import (
	"hash/maphash"
	"net/netip"
	"sync"
	"time"

	"github.com/magiclink-go/magiclink/internal/network"
)

const (
	throttleBurst      = 10              // failures of one client at one address that are allowed at once
	throttleRefill     = 6 * time.Second // until one more of these is allowed
	throttleClients    = 10              // an address has the failures of so many clients
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

// bucket holds the number of failures, which falls as time passes.
type bucket struct {
	at     time.Time
	failed float64
}

// counter is a name and how many times throttleBurst it may fail at once; failures are forgiven as many times faster.
type counter struct {
	name  string
	times int
}

// countersOf are what a wrong secret counts against: the client at each network of the address, so that a stranger elsewhere stops no client, and these
// networks alone, so that nobody tries one client after the other. Where the address is not known, the client counts alone.
func countersOf(client string, address netip.Addr) []counter {
	networks := network.Of(address)
	counters := make([]counter, 0, 2*len(networks))
	for _, n := range networks {
		counters = append(counters, counter{n.Name + "\x00" + client, n.Times})
		if n.Name != "" {
			counters = append(counters, counter{n.Name, throttleClients * n.Times})
		}
	}
	return counters
}

func newThrottle() *throttle {
	return &throttle{seed: maphash.MakeSeed(), new: make(map[uint64]bucket)}
}

// wait returns how long to wait until another attempt is allowed by each of the counters; zero means now.
func (t *throttle) wait(counters []counter, now time.Time) (longest time.Duration) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, c := range counters {
		b := t.find(t.key(c), c, now)
		if over := b.failed + 1 - float64(throttleBurst*c.times); over > 0 {
			longest = max(longest, time.Duration(over*float64(throttleRefill)/float64(c.times)))
		}
	}
	return longest
}

// fail counts a failure.
func (t *throttle) fail(counters []counter, now time.Time) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, c := range counters {
		key := t.key(c)
		b := t.find(key, c, now)
		b.failed = min(b.failed+1, float64(2*throttleBurst*c.times)) // more than the burst: attempts that were under way at once
		if len(t.new) >= throttleGeneration {
			t.new, t.old = make(map[uint64]bucket), t.new
		}
		t.new[key] = b
	}
}

func (t *throttle) key(c counter) uint64 { return maphash.String(t.seed, c.name) }

// find returns the bucket of a counter as it is now. A clock that was set back forgives nothing.
func (t *throttle) find(key uint64, c counter, now time.Time) bucket {
	b, found := t.new[key]
	if !found {
		b, found = t.old[key]
	}
	if !found {
		return bucket{at: now}
	}
	if passed := now.Sub(b.at); passed > 0 {
		b.failed = max(0, b.failed-float64(passed)*float64(c.times)/float64(throttleRefill))
		b.at = now
	}
	return b
}
