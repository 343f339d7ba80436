package magiclink

import (
	"sync"
	"time"
)

// recentGeneration is how many sessions a generation of recentLooks remembers; two generations are kept.
const recentGeneration = 16384

// recentLooks remembers for a while which sessions the store has confirmed. It never remembers that a session has ended.
type recentLooks struct {
	valid    time.Duration // how long a look counts; zero means not at all
	mu       sync.Mutex
	new, old map[string]time.Time // session id to the time of the look
	ends     int                  // how many sessions were ended here
}

// has reports whether the store has confirmed the session within the valid time. A clock that was set back makes a look
// that lies in the future worthless. What it returns as ends is for put.
func (l *recentLooks) has(id string, now time.Time) (recent bool, ends int) {
	if l.valid == 0 {
		return false, 0
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	at, ok := l.new[id]
	if !ok {
		at, ok = l.old[id]
	}
	return ok && !now.Before(at) && now.Before(at.Add(l.valid)), l.ends
}

// put remembers a look that began when ends sessions had been ended here. If another was ended since, the look may have come
// before that end, and is not remembered.
func (l *recentLooks) put(id string, now time.Time, ends int) {
	if l.valid == 0 {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if ends != l.ends {
		return
	}
	if l.new == nil || len(l.new) >= recentGeneration {
		l.new, l.old = make(map[string]time.Time), l.new
	}
	l.new[id] = now
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
