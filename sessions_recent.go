package magiclink

import (
	"strings"
	"sync"
	"time"
)

// recentGeneration is how many sessions a generation of recentLooks remembers; two generations are kept.
const recentGeneration = 16384

// recentLooks remembers for a while which sessions the store has confirmed. It never remembers that a session has ended.
type recentLooks struct {
	valid    time.Duration // how long a look counts; zero means not at all
	mu       sync.Mutex
	new, old map[string]look // by session id
	ends     int             // how many sessions were ended here
}

// look is what a look at the record of a session has found: that the session lasts, at that time, and its device.
type look struct {
	at     time.Time
	device string
}

// has reports whether the store has confirmed the session within the valid time. A clock that was set back makes a look
// that lies in the future worthless. What it returns as ends is for put.
func (l *recentLooks) has(id string, now time.Time) (device string, recent bool, ends int) {
	if l.valid == 0 {
		return "", false, 0
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	found, ok := l.new[id]
	if !ok {
		found, ok = l.old[id]
	}
	return found.device, ok && !now.Before(found.at) && now.Before(found.at.Add(l.valid)), l.ends
}

// put remembers a look that began when ends sessions had been ended here. If another was ended since, the look may have come
// before that end, and is not remembered.
func (l *recentLooks) put(id, device string, now time.Time, ends int) {
	if l.valid == 0 {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if ends != l.ends {
		return
	}
	if l.new == nil || len(l.new) >= recentGeneration {
		l.new, l.old = make(map[string]look), l.new
	}
	l.new[id] = look{at: now, device: strings.Clone(device)} // not the whole ConsumedBy
}

// dropAll forgets all sessions, because some of them were ended here.
func (l *recentLooks) dropAll() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.ends++
	l.new, l.old = nil, nil
}

// drop forgets a session that was ended here.
func (l *recentLooks) drop(id string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.ends++
	delete(l.new, id)
	delete(l.old, id)
}
