package sqlite

import (
	"context"
	"fmt"
	"slices"
	"sync"

	"github.com/magiclink-go/magiclink"
)

// maxBatch bounds how many operations share a commit, and with that how long the first of them waits for the last.
const maxBatch = 256

// An operation is one write inside a transaction. Its verdict is an ordinary outcome, such as [magiclink.ErrConsumed],
// and counts once the transaction is committed; a failure spoils the transaction.
type operation func(*session) (verdict, failure error)

// committer lets concurrent operations share commits, by flat combining: operations queue up, and one leader commits for
// all that wait. A caller that finds no leader becomes it at once and waits for nobody.
//
// A caller leads by itself, so that a lone call is handed to no other goroutine, and after its batch it hands over to the
// first that waits. A caller with a deadline must not be caught in a commit that hangs: it lets a goroutine lead, which goes
// on while anybody waits.
type committer struct {
	writer    *writer        // used by the leader alone, as is gathering
	gathering gathering      // before each batch
	leaders   sync.WaitGroup // those that are goroutines of their own

	mu       sync.Mutex
	led      bool
	pending  []*call
	expected int           // how many calls the leader waits for; 0 if it does not
	complete chan struct{} // closed when they are there
}

// call is one caller's operation on its way through the committer.
type call struct {
	ctx      context.Context //nolint:containedctx // the leader must see that a caller has gone
	limited  bool            // the context has a deadline
	run      operation
	patience patience
	wake     chan signal // has room for one; nil for a caller that waits for nobody

	// The fields below are guarded by committer.mu, until the call is answered.
	state   state
	verdict error
	failure error
}

type state int

const (
	queued   state = iota // nothing has happened
	running               // in a transaction
	answered              // verdict and failure say what came of it
	left                  // the caller has gone
)

// signal is what a waiting caller is told.
type signal int

const (
	isAnswered signal = iota
	mustLead
)

// do carries out one operation. With a failure nothing was changed, unless it matches [magiclink.ErrUnknownOutcome].
func (c *committer) do(ctx context.Context, run operation) (verdict, failure error) {
	_, limited := ctx.Deadline()
	mine := &call{ctx: ctx, limited: limited, run: run, patience: newPatience()}
	for leads := c.enqueue(mine); ; {
		if leads && c.lead(mine) {
			break
		}
		told, err := c.wait(mine)
		if err != nil {
			return nil, err
		}
		if told == isAnswered {
			break
		}
		leads = true
	}
	return mine.verdict, mine.failure
}

// enqueue reports whether the caller has to lead.
func (c *committer) enqueue(mine *call) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	leads := !c.led
	if !leads || mine.limited {
		mine.wake = make(chan signal, 1)
	}
	c.led = true
	c.pending = append(c.pending, mine)
	if len(c.pending) == c.expected {
		c.expected = 0
		close(c.complete)
	}
	return leads
}

// wait returns what the caller was told, or an error when its context ends first.
func (c *committer) wait(mine *call) (signal, error) {
	select {
	case told := <-mine.wake:
		return told, nil
	case <-mine.ctx.Done():
		return isAnswered, c.leave(mine)
	}
}

// leave gives a call up because its context has ended. It returns nil if the call was answered in the meantime.
func (c *committer) leave(mine *call) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch mine.state {
	case queued:
		mine.state = left
		select {
		case <-mine.wake: // it was to lead
			c.appoint()
		default:
		}
		return mine.ctx.Err()
	case running:
		mine.state = left
		return fmt.Errorf("%w: %w", magiclink.ErrUnknownOutcome, mine.ctx.Err())
	default:
		return nil
	}
}

// lead commits batches until the call is answered, or lets a goroutine do so. It reports whether the call is answered.
func (c *committer) lead(mine *call) bool {
	if mine.limited {
		c.leaders.Go(func() {
			for first := c.next(); first != nil; first = c.next() {
				c.step(first)
			}
		})
		return false
	}
	for mine.state != answered { // nobody else changes it, since its caller is here
		c.step(c.next())
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.appoint()
	return true
}

// appoint tells the first caller that waits to lead. The caller holds committer.mu.
func (c *committer) appoint() {
	if first := c.first(); first != nil {
		first.wake <- mustLead
	}
}

// next returns the first call that waits. If there is none, there is no leader any more.
func (c *committer) next() *call {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.first()
}

// first is next for those who hold committer.mu.
func (c *committer) first() *call {
	c.pending = slices.DeleteFunc(c.pending, (*call).over)
	if len(c.pending) == 0 {
		c.led = false
		return nil
	}
	return c.pending[0]
}

// step commits one batch. The lock of the database is awaited for the first call in it: those behind it have contexts and
// patience of their own, and try for themselves if it fails.
func (c *committer) step(first *call) {
	c.gather()
	if err := c.writer.begin(first.ctx, first.patience); err != nil {
		c.answer([]*call{first}, err)
		return
	}
	c.commit(c.take())
}

// commit carries out a batch in the transaction that was begun.
func (c *committer) commit(batch []*call) {
	spoiler := -1
	failure := c.writer.finish(func(s *session) (spoiled bool) {
		spoiler = c.runAll(s, batch)
		return spoiler >= 0
	})
	if spoiler < 0 {
		c.answer(batch, failure)
		return
	}
	c.answer(batch[spoiler:spoiler+1], batch[spoiler].failure)
	c.requeue(slices.Delete(batch, spoiler, spoiler+1))
}

// runAll runs the operations of a batch. It stops at the first that spoils the transaction and returns its index, or -1.
func (c *committer) runAll(s *session, batch []*call) (spoiler int) {
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
	if each.over() {
		return false
	}
	if err := each.ctx.Err(); err != nil {
		each.settle(nil, err)
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
		each.settle(each.verdict, failure)
	}
	c.pending = slices.DeleteFunc(c.pending, (*call).over)
	c.gathering.crowd = len(batch) + len(c.pending)
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

// settle answers a call, once. The caller holds committer.mu.
func (each *call) settle(verdict, failure error) {
	if each.over() {
		return
	}
	each.state, each.verdict, each.failure = answered, verdict, failure
	if each.wake != nil {
		each.wake <- isAnswered
	}
}

func (each *call) over() bool { return each.state == answered || each.state == left }
