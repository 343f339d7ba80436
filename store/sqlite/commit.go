package sqlite

import (
	"errors"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/magiclink-go/magiclink"
)

// maxBatch bounds how many operations share a commit, and with that how long the first of them waits for the last.
const maxBatch = 256

// errBroken answers the calls of a batch in which the driver, or a hook of the application, panicked or ended the goroutine.
var errBroken = fmt.Errorf("%w: the database driver panicked", magiclink.ErrUnknownOutcome)

// An operation is one write inside a transaction. Its verdict is an ordinary outcome, such as [magiclink.ErrConsumed], and
// counts once the transaction is committed. Its failure undoes the transaction.
type operation func(*statements) (verdict, failure error)

// committer lets concurrent operations share commits. Callers put their operations into a queue and wait. One goroutine
// takes everything that is queued, commits it in one transaction and answers the callers. The goroutine starts when an operation
// is queued and ends when the queue is empty, so an idle store has none. A caller that is alone and has no deadline commits its
// own operation without the goroutine, which would first have to be woken.
//
// The goroutine calls nothing of a caller: of the caller's context it has only the channel that says that the context has
// ended. So no caller can stop the others.
type committer struct {
	writer    *writer        // used by the one that commits, as is gathering
	gathering gathering      // before each batch of the goroutine
	running   sync.WaitGroup // the goroutine
	failing   atomic.Bool    // the last transaction has failed: see Store.Ping

	mu       sync.Mutex
	active   bool // the goroutine, or a caller that is alone, commits
	pending  []*call
	expected int           // how many calls the goroutine waits for; 0 if it does not
	complete chan struct{} // closed when they wait
}

// call is one operation on its way through the committer.
type call struct {
	ended    <-chan struct{} // closed when the caller's context has ended; may be nil
	run      operation
	patience patience
	done     chan struct{} // closed when the call is answered

	// The fields below are guarded by committer.mu until the call is answered.
	state   state
	verdict error
	failure error
}

type state int

const (
	queued   state = iota // nothing has happened
	running               // in a transaction
	answered              // verdict and failure are set
	left                  // the caller has gone
)

// do carries out one operation. It reports hasLeft if the caller's context has ended before the operation was answered: then
// failure is nil if nothing was changed, and [magiclink.ErrUnknownOutcome] if the operation has begun.
func (c *committer) do(from caller, run operation) (hasLeft bool, verdict, failure error) {
	mine := &call{ended: from.ended, run: run, patience: newPatience(), done: make(chan struct{})}
	if c.enqueue(mine, from.patient) {
		c.lead(mine)
	}
	select {
	case <-mine.done:
	case <-mine.ended:
		if hasLeft, failure := c.leave(mine); hasLeft {
			return true, nil, failure
		}
	}
	return false, mine.verdict, mine.failure
}

// enqueue reports whether the caller must commit the call by itself.
func (c *committer) enqueue(mine *call, patient bool) (leads bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.pending = append(c.pending, mine)
	if len(c.pending) == c.expected {
		c.expected = 0
		close(c.complete)
	}
	if patient && !c.active && c.gathering.crowd < 2 {
		c.active = true
		return true
	}
	c.start()
	return false
}

// lead commits one call in the goroutine of its caller. It commits no call of another caller: a hook that ends the goroutine then
// ends the caller of that call alone.
func (c *committer) lead(mine *call) {
	defer c.replace()
	c.step(mine, 1)
}

// start starts the goroutine unless it runs. The caller holds committer.mu.
func (c *committer) start() {
	if !c.active {
		c.active = true
		c.running.Go(c.work)
	}
}

// leave gives a call up because its context has ended. It reports false if the call was answered in the meantime.
func (c *committer) leave(mine *call) (hasLeft bool, failure error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if mine.state == answered {
		return false, nil
	}
	if mine.state == running {
		failure = magiclink.ErrUnknownOutcome
	}
	mine.state = left
	return true, failure
}

// work commits batches until the queue is empty.
func (c *committer) work() {
	finished := false
	defer func() {
		if !finished { // a hook has called runtime.Goexit
			c.replace()
		}
	}()
	for first := c.next(); first != nil; first = c.next() {
		c.gather()
		c.step(first, maxBatch)
	}
	finished = true
}

// replace gives up the writing. It starts a goroutine if calls wait.
func (c *committer) replace() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.active = false
	if len(c.pending) > 0 {
		c.start()
	}
}

// next returns the first call that waits. If no call waits, it returns nil, and the goroutine ends.
func (c *committer) next() *call {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.pending = slices.DeleteFunc(c.pending, (*call).over)
	if len(c.pending) == 0 {
		c.active = false
		return nil
	}
	return c.pending[0]
}

// step commits one batch of at most limit calls. It waits for the lock of the database on behalf of the first call. The calls
// behind it have time limits of their own, and each is the first at some time.
func (c *committer) step(first *call, limit int) {
	batch, finished := []*call{first}, false
	defer func() {
		if !finished {
			_ = recover() // the value may hold anything
			c.writer.abandon()
			c.answer(batch, errBroken)
		}
	}()
	if err := c.writer.begin(first.ended, first.patience); err == nil {
		batch = c.take(limit)
		c.commit(batch)
	} else if !errors.Is(err, errEnded) { // otherwise the caller finds out by itself
		c.answer(batch, err)
	}
	finished = true
}

// take removes the next batch from the queue, of at most limit calls.
func (c *committer) take(limit int) []*call {
	c.mu.Lock()
	defer c.mu.Unlock()
	n := min(len(c.pending), limit)
	batch := slices.Clone(c.pending[:n])
	c.pending = slices.Delete(c.pending, 0, n)
	return batch
}

// commit carries out a batch in the transaction that was begun. If an operation fails, the transaction is undone, that
// operation is answered, and the others are queued again.
func (c *committer) commit(batch []*call) {
	failed := -1
	failure := c.writer.finish(func(s *statements) (undo bool) {
		failed = c.runAll(s, batch)
		return failed >= 0
	})
	c.failing.Store(failed >= 0 || failure != nil)
	if failed < 0 {
		c.answer(batch, failure)
		return
	}
	c.answer(batch[failed:failed+1], batch[failed].failure)
	c.requeue(slices.Delete(batch, failed, failed+1))
}

// runAll runs the operations of a batch. It stops at the first that fails and returns its index, or -1.
func (c *committer) runAll(s *statements, batch []*call) (failed int) {
	for i, each := range batch {
		if !c.claim(each) {
			continue
		}
		if each.verdict, each.failure = each.run(s); each.failure != nil {
			return i
		}
	}
	return -1
}

// claim marks a call as running. It reports false if the call must not run because its context has ended.
func (c *committer) claim(each *call) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if each.over() {
		each.state = left // its caller will find that nothing has happened
		return false
	}
	each.state = running
	return true
}

// answer ends calls with their verdicts, or with a failure.
func (c *committer) answer(batch []*call, failure error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, each := range batch {
		if each.state == queued || each.state == running {
			each.state, each.failure = answered, failure
			close(each.done)
		}
	}
	c.pending = slices.DeleteFunc(c.pending, (*call).over)
	c.gathering.crowd = len(batch) + len(c.pending)
}

// requeue puts calls whose transaction was undone at the head of the queue.
func (c *committer) requeue(batch []*call) {
	c.mu.Lock()
	defer c.mu.Unlock()
	batch = slices.DeleteFunc(batch, (*call).over)
	for _, each := range batch {
		each.state = queued
	}
	c.pending = slices.Insert(c.pending, 0, batch...)
}

// over reports whether nothing is left to do for the call. A call that runs is not over when its context ends.
func (each *call) over() bool {
	switch each.state {
	case answered, left:
		return true
	case running:
		return false
	default:
		return hasEnded(each.ended)
	}
}
