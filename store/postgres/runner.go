package postgres

import (
	"context"
	"runtime"
	"slices"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
)

// runner is a goroutine that takes calls from the queue of its lane. It outlives the queue: starting a goroutine for each lone
// call would cost a tenth of a read.
type runner struct {
	lane *lane
	last int           // how many calls the last statement carried
	wake chan struct{} // closed or sent to when an idle runner has to go on

	// The context is that of acquiring a connection, and no caller's.
	ctx    context.Context //nolint:containedctx // made anew only after it was cancelled
	cancel context.CancelFunc

	// The fields below are guarded by desk.mu.
	late      bool
	dismissed bool
	began     time.Time // when the runner began with its batch
	phase     time.Time // when it began to acquire a connection, or to send the statement
	current   *batch    // from take to answer
	batch     *batch    // the same while the statement is on its way
}

func (l *lane) needsRunner() bool {
	return len(l.queue) > 0 && len(l.working)-l.late < l.width && len(l.working) < l.limit
}

// startRunner lets a runner work if one is needed and allowed. The caller holds desk.mu.
func (l *lane) startRunner() {
	if !l.needsRunner() {
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
	l.desk.routines.Go(r.work)
}

// start counts the runner in. The caller holds desk.mu.
func (r *runner) start() {
	r.began = time.Now()
	r.phase = r.began
	r.lane.working = append(r.lane.working, r)
	r.lane.desk.watch()
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
	returned = true
}

// lead carries out one batch in the goroutine of a caller.
func (r *runner) lead() {
	defer r.lane.desk.routines.Done()
	returned := false
	defer func() {
		if !returned {
			r.lost()
		}
	}()
	r.last = 0
	r.step()
	returned = true // before hand: another caller may lead the runner as soon as it is kept
	r.hand()
}

// hand counts the runner out and keeps it for the next caller that leads.
func (r *runner) hand() {
	l := r.lane
	l.desk.mu.Lock()
	defer l.desk.mu.Unlock()
	r.countOut()
	l.spare = r
	l.startRunner()
}

// lost cleans up after a runner that a hook of the pool has ended (runtime.Goexit).
func (r *runner) lost() {
	l := r.lane
	l.desk.mu.Lock()
	defer l.desk.mu.Unlock()
	if b := r.current; b != nil {
		l.answer(b, b.explain(errHook, nil))
	}
	r.countOut()
	l.startRunner()
}

// step carries out one batch. It reports whether there was one.
func (r *runner) step() bool {
	conn, err := r.acquire()
	r.gather()
	b := r.take()
	if b == nil {
		r.lane.pool.release(conn, nil)
		return false
	}
	if err == nil {
		err = b.run(r, conn)
	}
	r.last = len(b.calls)
	r.answer(b, err)
	return true
}

func (r *runner) answer(b *batch, failure error) {
	r.lane.desk.mu.Lock()
	defer r.lane.desk.mu.Unlock()
	r.current = nil
	r.lane.answer(b, failure)
}

func (r *runner) acquire() (conn *pgxpool.Conn, err error) {
	defer recoverHook(&err)
	if r.ctx == nil || r.ctx.Err() != nil {
		r.lane.desk.mu.Lock()
		r.ctx, r.cancel = context.WithCancel(context.Background())
		r.lane.desk.mu.Unlock()
	}
	return r.lane.pool.acquire(r.ctx)
}

// gather lets callers queue up that come back at once with their next call. It yields only where callers have shared the last
// statement: a lone caller would wait.
func (r *runner) gather() {
	if r.last < 2 {
		return
	}
	for before, now := -1, r.waiting(); now > before && now < r.lane.size; {
		runtime.Gosched()
		before, now = now, r.waiting()
	}
}

func (r *runner) waiting() int {
	r.lane.desk.mu.Lock()
	defer r.lane.desk.mu.Unlock()
	return len(r.lane.queue)
}

// take makes a batch of the next calls. It returns nil if there are none.
func (r *runner) take() *batch {
	r.lane.desk.mu.Lock()
	defer r.lane.desk.mu.Unlock()
	calls := r.lane.take()
	if len(calls) == 0 {
		return nil
	}
	r.current = newBatch(r.lane.pool, calls)
	return r.current
}

// again reports whether the runner takes the next batch, too. A runner that was late ends if it was replaced.
func (r *runner) again() bool {
	l := r.lane
	l.desk.mu.Lock()
	defer l.desk.mu.Unlock()
	if r.late && len(l.working)-l.late >= l.width {
		return false
	}
	r.inTime()
	r.began = time.Now()
	r.phase = r.began
	return true
}

// rest waits for work. It reports false when the runner has to end: one that waits is enough for a lane.
func (r *runner) rest() bool {
	if !r.sitDown() {
		return false
	}
	r.last = 0
	<-r.wake
	r.lane.desk.mu.Lock()
	defer r.lane.desk.mu.Unlock()
	return !r.dismissed
}

func (r *runner) sitDown() bool {
	l := r.lane
	l.desk.mu.Lock()
	defer l.desk.mu.Unlock()
	r.countOut()
	defer l.startRunner()
	if l.idle != nil || l.desk.closed {
		return false
	}
	l.idle = r
	return true
}

// countOut is the counterpart of start. The caller holds desk.mu.
func (r *runner) countOut() {
	r.inTime()
	r.lane.working = slices.DeleteFunc(r.lane.working, func(other *runner) bool { return other == r })
}

// inTime takes the mark away that the runner is late. The caller holds desk.mu.
func (r *runner) inTime() {
	if r.late {
		r.late = false
		r.lane.late--
	}
}

// dismissIdle ends the runner that waits for work. The caller holds desk.mu.
func (l *lane) dismissIdle() {
	if r := l.idle; r != nil {
		l.idle = nil
		r.dismissed = true
		r.wake <- struct{}{}
	}
}
