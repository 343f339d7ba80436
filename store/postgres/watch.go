package postgres

import (
	"fmt"
	"time"
)

const (
	// patience is how long the calls that wait leave a statement alone that is on its way. After that another statement is
	// sent beside it, on another connection: the first may have met a server that does not answer.
	patience = 250 * time.Millisecond

	// grace is how long a statement may go on when all its callers have left. After that its connection is cut. It is long
	// enough that impatient callers do not cost a connection each.
	grace = 500 * time.Millisecond

	watchEvery = 50 * time.Millisecond
	watchIdle  = 20 // after this many rounds without work the watcher ends
)

// watch starts the watcher unless it is running. The caller holds desk.mu.
//
// One watcher for all runners, instead of timers for each statement: a timer costs a lone read a tenth.
func (d *desk) watch() {
	if d.watched {
		return
	}
	d.watched = true
	d.routines.Go(func() {
		ticker := time.NewTicker(watchEvery)
		defer ticker.Stop()
		closing := d.closing
		for idle := 0; ; idle++ {
			select {
			case now := <-ticker.C:
				if d.inspect(now) {
					idle = 0
				}
			case <-closing:
				closing = nil
			}
			if d.unwatch(idle >= watchIdle) {
				return
			}
		}
	})
}

// unwatch reports whether the watcher may end.
func (d *desk) unwatch(tired bool) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	if !tired && !d.closed || d.working() {
		return false
	}
	d.watched = false
	return true
}

func (d *desk) working() bool {
	for _, l := range d.lanes {
		if len(l.working) > 0 {
			return true
		}
	}
	return false
}

// inspect looks after each runner. It reports whether there is any.
func (d *desk) inspect(now time.Time) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, l := range d.lanes {
		for _, r := range l.working {
			r.inspect(now)
		}
		l.startRunner()
	}
	return d.working()
}

// inspect marks the runner as late, so that another one can take its place, and frees it from a server that does not answer. The
// caller holds desk.mu.
func (r *runner) inspect(now time.Time) {
	if !r.late && now.Sub(r.began) >= patience {
		r.late = true
		r.lane.late++
	}
	timeout := r.lane.pool.timeout
	switch overdue := now.Sub(r.phase) >= timeout; {
	case r.batch == nil:
		if overdue && r.cancel != nil {
			r.cancel()
		}
	case overdue:
		r.batch.cut(fmt.Errorf("the server has not answered within Options.Timeout, %v", timeout))
	case r.batch.waiting == 0 && now.Sub(r.batch.leftAt) >= grace:
		r.batch.cut(errNobodyWaits)
	}
}
