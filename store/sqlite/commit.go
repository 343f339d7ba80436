package sqlite

import (
	"context"
	"database/sql"
	"fmt"
	"slices"
	"sync"

	"github.com/magiclink-go/magiclink"
)

// maxBatch bounds how many operations share a commit, and with that how long the first of them waits for the last.
const maxBatch = 256

// An operation is one write inside a transaction. Its verdict is an ordinary outcome, such as [magiclink.ErrConsumed],
// and counts once the transaction is committed; a failure spoils the transaction.
type operation func(ctx context.Context, conn *sql.Conn) (verdict, failure error)

// committer lets concurrent operations share commits, by flat combining: operations queue up, and one of the waiting
// callers, the leader, commits for all. A caller that finds no leader becomes it at once, so a lone call is handed to
// no other goroutine and waits for nobody. After its batch a leader hands over to the first that waits.
//
// The leader's own operation is always the first that is alive in the queue, so it is in the leader's batch.
type committer struct {
	writer *writer // used by the leader alone

	mu      sync.Mutex
	led     bool
	pending []*call
}

// call is one caller's operation on its way through the committer.
type call struct {
	ctx      context.Context //nolint:containedctx // the leader must see that a caller has gone
	run      operation
	patience patience
	wake     chan struct{} // has room for one; filled when state becomes leading or answered

	// The fields below are guarded by committer.mu.
	state   state
	verdict error
	failure error
}

type state int

const (
	queued   state = iota // nothing has happened
	leading               // its caller is the leader
	running               // in a transaction
	answered              // verdict and failure say what came of it
	left                  // its caller has gone
)

// do carries out one operation. With a failure nothing was changed, unless it matches [magiclink.ErrUnknownOutcome].
func (c *committer) do(ctx context.Context, run operation) (verdict, failure error) {
	mine := &call{ctx: ctx, run: run, patience: newPatience(), wake: make(chan struct{}, 1)}
	if !c.enqueue(mine) {
		lead, failure := c.wait(mine)
		if failure != nil {
			return nil, failure
		}
		if !lead {
			return mine.verdict, mine.failure
		}
	}
	c.lead(mine)
	return mine.verdict, mine.failure
}

// enqueue reports whether the caller leads.
func (c *committer) enqueue(mine *call) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.pending = append(c.pending, mine)
	if c.led {
		return false
	}
	c.led = true
	mine.state = leading
	return true
}

// wait returns when the call is answered, when its caller has to lead, or with an error when its context ends first.
func (c *committer) wait(mine *call) (lead bool, err error) {
	select {
	case <-mine.wake:
	case <-mine.ctx.Done():
		if err := c.leave(mine); err != nil {
			return false, err
		}
		<-mine.wake // it was filled in the meantime
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	return mine.state == leading, nil
}

// leave gives a call up because its context has ended. It returns nil if it is too late for that.
func (c *committer) leave(mine *call) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch mine.state {
	case queued:
		mine.state = left
		return mine.ctx.Err()
	case running:
		mine.state = left
		return fmt.Errorf("%w: %w", magiclink.ErrUnknownOutcome, mine.ctx.Err())
	default:
		return nil
	}
}

// lead commits batches until the leader's own call is answered, which takes more than one only after a failure.
func (c *committer) lead(mine *call) {
	defer c.handOver()
	for mine.state != answered { // only the leader changes the state of its own call
		if err := c.writer.begin(mine.ctx, mine.patience); err != nil {
			c.refuse(mine, err)
			continue
		}
		c.commit(context.WithoutCancel(mine.ctx), c.take())
	}
}

// commit carries out a batch in the transaction that was begun.
func (c *committer) commit(ctx context.Context, batch []*call) {
	for i, each := range batch {
		if !c.claim(each) {
			continue
		}
		verdict, failure := each.run(ctx, c.writer.conn)
		if failure != nil {
			c.writer.discard()
			c.answer(each, nil, failure)
			c.requeue(slices.Delete(batch, i, i+1))
			return
		}
		each.verdict = verdict
	}
	failure := c.writer.commit(ctx)
	for _, each := range batch {
		c.answer(each, each.verdict, failure)
	}
}

// take removes the batch from the queue that is to be committed now.
func (c *committer) take() []*call {
	c.mu.Lock()
	defer c.mu.Unlock()
	n := min(len(c.pending), maxBatch)
	batch := slices.Clone(c.pending[:n])
	c.pending = slices.Delete(c.pending, 0, n)
	return batch
}

// claim marks a call as running. It reports false if the call is not to be run because its context has ended.
func (c *committer) claim(each *call) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if each.state == left || each.state == answered {
		return false
	}
	if err := each.ctx.Err(); err != nil {
		each.settle(nil, err)
		return false
	}
	each.state = running
	return true
}

func (c *committer) answer(each *call, verdict, failure error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	each.settle(verdict, failure)
}

// requeue puts calls whose transaction was rolled back at the head of the queue.
func (c *committer) requeue(batch []*call) {
	c.mu.Lock()
	defer c.mu.Unlock()
	batch = slices.DeleteFunc(batch, (*call).over)
	for _, each := range batch {
		each.state = queued
	}
	c.pending = slices.Insert(c.pending, 0, batch...)
}

// refuse answers the leader's call, for which no transaction could be begun. Those behind it try for themselves: they
// have contexts and patience of their own.
func (c *committer) refuse(mine *call, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	mine.settle(nil, err)
	c.pending = slices.DeleteFunc(c.pending, (*call).over)
}

// handOver makes the first waiting caller the leader, if there is one.
func (c *committer) handOver() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.pending = slices.DeleteFunc(c.pending, (*call).over)
	if len(c.pending) == 0 {
		c.led = false
		return
	}
	c.pending[0].state = leading
	c.pending[0].wake <- struct{}{}
}

// settle answers a call, once. The caller holds committer.mu.
func (each *call) settle(verdict, failure error) {
	if each.over() {
		return
	}
	each.state, each.verdict, each.failure = answered, verdict, failure
	each.wake <- struct{}{}
}

func (each *call) over() bool { return each.state == answered || each.state == left }
