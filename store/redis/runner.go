package redis

import (
	"context"
	"errors"
	"runtime"
	"slices"
	"time"
)

// errHook stands for a panic of code that the application has hung into its client. The value of the panic may hold anything and is
// not shown.
var errHook = errors.New("a hook of the client has panicked, or ended its goroutine")

// runner is a goroutine that takes calls from the queue of its lane. It outlives the queue: starting a goroutine for each lone
// call would cost time.
type runner struct {
	lane *lane
	last int           // how many calls the last pipeline carried
	wake chan struct{} // sent to when an idle runner has to go on

	current batch    // on its way
	only    [1]*call // the current batch of a runner that is led

	ctx    context.Context //nolint:containedctx // of no caller, and made anew before it ends
	cancel context.CancelFunc
	until  time.Time // when ctx ends

	// The fields below are guarded by lane.mu.
	late      bool
	dismissed bool
	began     time.Time // when the runner began with its batch; its own goroutine reads it without the lock
}

// hasRoom reports whether another runner may work. The caller holds lane.mu.
func (l *lane) hasRoom() bool { return len(l.working)-l.late < l.width && len(l.working) < limit }

// startRunner lets a runner work if one is needed and allowed. The caller holds lane.mu.
func (l *lane) startRunner() {
	if len(l.queue) == 0 || !l.hasRoom() {
		return
	}
	r := l.idle
	if l.idle = nil; r != nil {
		r.start()
		r.wake <- struct{}{}
		return
	}
	r = &runner{lane: l, wake: make(chan struct{}, 1)}
	r.start()
	l.routines.Go(r.work)
}

// start counts the runner in. The caller holds lane.mu.
func (r *runner) start() {
	r.began = time.Now()
	r.lane.working = append(r.lane.working, r)
	r.lane.watch()
}

// work carries out batches until the runner is not needed any more.
func (r *runner) work() {
	returned := false
	defer func() {
		if !returned {
			r.lost()
		}
	}()
	for r.step() && r.again() || r.rest() {
	}
	r.release()
	returned = true
}

// leader returns a runner for a call that its caller carries out. The caller holds lane.mu.
func (l *lane) leader(c *call) *runner {
	r := l.spare
	if l.spare = nil; r == nil {
		r = &runner{lane: l}
	}
	l.routines.Add(1)
	r.start()
	r.only[0] = c
	r.current = newBatch(r.only[:], r.began, l.timeout)
	return r
}

// lead carries out the call of a leader in the goroutine of its caller.
func (r *runner) lead() {
	defer r.lane.routines.Done()
	returned := false
	defer func() {
		if !returned {
			r.lost()
		}
	}()
	r.carryOut()
	returned = true // before hand: another caller may lead the runner as soon as it is kept
	r.hand()
}

// hand counts the runner out and keeps it for the next caller that leads.
func (r *runner) hand() {
	l := r.lane
	l.mu.Lock()
	defer l.mu.Unlock()
	r.only[0] = nil
	r.countOut()
	l.spare = r
	l.startRunner()
}

// lost cleans up after a runner that a hook of the client has ended (runtime.Goexit).
func (r *runner) lost() {
	r.release()
	l := r.lane
	l.mu.Lock()
	r.countOut()
	l.startRunner()
	l.mu.Unlock()
	l.fail(r.current.calls, errHook)
}

// fail ends those of the calls that are not answered. They may have taken place.
func (l *lane) fail(calls []*call, err error) {
	l.mu.Lock()
	var open []*call
	for _, c := range calls {
		if c.state == running {
			open = append(open, c)
		}
	}
	l.mu.Unlock()
	for _, c := range open {
		c.unknown = true
		c.fail(err)
	}
	l.answer(open...)
}

// step carries out one batch. It reports whether there was one.
func (r *runner) step() bool {
	r.gather()
	if !r.take() {
		return false
	}
	r.last = len(r.current.calls)
	r.carryOut()
	return true
}

// carryOut sends the current batch.
func (r *runner) carryOut() {
	if r.guardedSend() {
		r.lane.fail(r.current.calls, errHook)
	}
	r.current = batch{}
}

// guardedSend reports whether a hook of the client has panicked.
func (r *runner) guardedSend() (panicked bool) {
	defer func() { panicked = recover() != nil }()
	r.lane.send(bounded{r.context(), r.current.deadline}, r.lane, r.current.calls)
	return false
}

// gather lets callers queue up that come back at once with their next call. It yields only where callers have shared the last
// pipeline: a lone caller would wait.
func (r *runner) gather() {
	if r.last < 2 {
		return
	}
	for before, now := -1, r.waiting(); now > before && now < maxBatch; {
		runtime.Gosched()
		before, now = now, r.waiting()
	}
}

func (r *runner) waiting() int {
	r.lane.mu.Lock()
	defer r.lane.mu.Unlock()
	return len(r.lane.queue)
}

// take makes the next calls the current batch. It reports whether there are any.
func (r *runner) take() bool {
	r.lane.mu.Lock()
	defer r.lane.mu.Unlock()
	calls := r.lane.take()
	if len(calls) == 0 {
		return false
	}
	r.current = newBatch(calls, r.began, r.lane.timeout)
	return true
}

// again reports whether the runner takes the next batch, too. A runner that was late ends if it was replaced.
func (r *runner) again() bool {
	l := r.lane
	l.mu.Lock()
	defer l.mu.Unlock()
	if r.late && len(l.working)-l.late >= l.width {
		return false
	}
	r.inTime()
	r.began = time.Now()
	return true
}

// rest waits for work. It reports false when the runner has to end: one that waits is enough for a lane.
func (r *runner) rest() bool {
	if !r.sitDown() {
		return false
	}
	r.last = 0
	<-r.wake
	r.lane.mu.Lock()
	defer r.lane.mu.Unlock()
	return !r.dismissed
}

func (r *runner) sitDown() bool {
	l := r.lane
	l.mu.Lock()
	defer l.mu.Unlock()
	r.countOut()
	defer l.startRunner()
	if l.idle != nil || l.closed {
		return false
	}
	l.idle = r
	return true
}

// countOut is the counterpart of start. The caller holds lane.mu.
func (r *runner) countOut() {
	r.inTime()
	r.lane.working = slices.DeleteFunc(r.lane.working, func(other *runner) bool { return other == r })
}

// inTime takes the mark away that the runner is late. The caller holds lane.mu.
func (r *runner) inTime() {
	if r.late {
		r.late = false
		r.lane.late--
	}
}

// dismissIdle ends the runner that waits for work. The caller holds lane.mu.
func (l *lane) dismissIdle() {
	if r := l.idle; r != nil {
		l.idle = nil
		r.dismissed = true
		r.wake <- struct{}{}
	}
}
