package redis

import "time"

const (
	// patience is how long the calls that wait leave a pipeline alone that is on its way. After that another pipeline is
	// sent beside it, on another connection: the first may have met a server that does not answer.
	patience = 250 * time.Millisecond

	watchEvery = 50 * time.Millisecond
	watchIdle  = 20 // after this many rounds without work the watcher ends
)

// watch starts the watcher unless it is running. The caller holds l.mu.
//
// One watcher for all runners, instead of a timer for each pipeline: a timer costs a lone call time.
func (l *lane) watch() {
	if l.watched {
		return
	}
	l.watched = true
	l.routines.Go(func() {
		ticker := time.NewTicker(watchEvery)
		defer ticker.Stop()
		closing := l.closing
		for idle := 0; ; idle++ {
			select {
			case now := <-ticker.C:
				if l.inspect(now) {
					idle = 0
				}
			case <-closing:
				closing = nil
			}
			if l.unwatch(idle >= watchIdle) {
				return
			}
		}
	})
}

// unwatch reports whether the watcher may end.
func (l *lane) unwatch(tired bool) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if !tired && !l.closed || len(l.working) > 0 {
		return false
	}
	l.watched = false
	return true
}

// inspect marks runners that take long as late, so that others can take their place. It reports whether any runner works.
func (l *lane) inspect(now time.Time) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, r := range l.working {
		if !r.late && now.Sub(r.began) >= patience {
			r.late = true
			l.late++
		}
	}
	l.startRunner()
	return len(l.working) > 0
}
