package postgres

import (
	"context"
	"fmt"
	"sync"

	"github.com/magiclink-go/magiclink"
)

// maxBatch bounds how many calls share a statement, and with that how long the first of them waits for the last.
const maxBatch = 256

// lane sends calls to the server. Calls queue up, and runners take them from the queue: one statement carries all that wait.
// A call that finds no runner at work starts one and waits for nobody.
//
// No context of a caller is used by a runner: a context may panic or block.
type lane struct {
	desk   *desk
	pool   *pool
	size   int   // how many calls share a statement
	width  int   // how many runners work side by side while the server answers in time
	limit  int   // how many there are in all
	single *lane // takes the calls that must be repeated alone; nil in that lane itself

	// The fields below are guarded by desk.mu.
	queue   []*call
	left    int       // how many calls in the queue have left
	working []*runner // in time or late
	late    int       // those of them whose statement takes longer than patience
	idle    *runner   // waits for work; nil if there is none
	spare   *runner   // for a caller that leads; nil if there is none
}

// desk is what the lanes of a store share. Calls move from one lane to another.
type desk struct {
	mu       sync.Mutex
	closed   bool
	closing  chan struct{} // closed when closed is set
	lanes    []*lane
	watched  bool           // a watcher is running
	routines sync.WaitGroup // the runners and the watcher
}

// do carries out one call. With an error nothing was changed, unless it matches [magiclink.ErrUnknownOutcome].
func (l *lane) do(ctx context.Context, c *call) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	left := ctx.Done() // before the call is in the queue: a context may panic
	c.done = make(chan struct{})
	r, err := l.submit(c, left == nil)
	if err != nil {
		return err
	}
	if r != nil {
		r.lead()
	}
	if left == nil {
		<-c.done
		return c.failure
	}
	select {
	case <-c.done:
		return c.failure
	case <-left:
	}
	state := l.leave(c)
	if state == answered {
		return c.failure
	}
	if err = ctx.Err(); err == nil {
		err = context.Canceled // the context has ended without an error
	}
	if state == running && !c.reads {
		err = fmt.Errorf("%w: %w", magiclink.ErrUnknownOutcome, err)
	}
	return err
}

// submit puts a call into the queue. A caller whose context cannot end can be a runner itself, which spares a lone call the way to
// another goroutine: then submit returns a runner that the caller has to lead.
func (l *lane) submit(c *call, canLead bool) (*runner, error) {
	l.desk.mu.Lock()
	defer l.desk.mu.Unlock()
	if l.desk.closed {
		return nil, ErrClosed
	}
	c.lane, c.state = l, queued
	l.queue = append(l.queue, c)
	if !canLead || !l.needsRunner() {
		l.startRunner()
		return nil, nil
	}
	r := l.spare
	if l.spare = nil; r == nil {
		r = &runner{lane: l}
	}
	l.desk.routines.Add(1)
	r.start()
	return r, nil
}

// enqueue lets a call be repeated in this lane. The caller holds desk.mu.
func (l *lane) enqueue(c *call) {
	c.lane, c.state, c.alone = l, queued, false
	l.queue = append(l.queue, c)
	l.startRunner()
}

// leave gives a call up because its context has ended. It returns the state in which the call was.
func (l *lane) leave(c *call) state {
	l.desk.mu.Lock()
	defer l.desk.mu.Unlock()
	was := c.state
	switch was {
	case queued:
		c.state = abandoned
		c.lane.forget()
	case running:
		c.state = abandoned
		c.batch.leave()
	}
	return was
}

// forget counts a call that has left the queue, and frees the memory of such calls now and then: while the server is away,
// nobody takes calls from the queue. The caller holds desk.mu.
func (l *lane) forget() {
	if l.left++; l.left > len(l.queue)/2 {
		l.queue, l.left = waiting(l.queue), 0
	}
}

// take removes the next calls from the queue. The caller holds desk.mu.
func (l *lane) take() []*call {
	l.queue, l.left = waiting(l.queue), 0
	n := min(len(l.queue), l.size)
	calls := l.queue[:n:n]
	l.queue = append([]*call(nil), l.queue[n:]...)
	return calls
}

// answer ends the calls of a batch, or lets the lane for single calls repeat them. The caller holds desk.mu.
func (l *lane) answer(b *batch, failure error) {
	for _, c := range b.calls {
		switch {
		case c.state == abandoned:
		case c.alone && l.single != nil:
			l.single.enqueue(c)
		default:
			c.state = answered
			c.failure = failure
			close(c.done)
		}
	}
}

// waiting returns the calls that have not left.
func waiting(queue []*call) []*call {
	n := 0
	for _, c := range queue {
		if c.state == queued {
			n++
		}
	}
	if n == len(queue) {
		return queue
	}
	kept := make([]*call, 0, n)
	for _, c := range queue {
		if c.state == queued {
			kept = append(kept, c)
		}
	}
	return kept
}

// close lets no more calls in, waits until those inside are answered, and ends the goroutines.
func (d *desk) close() {
	d.mu.Lock()
	d.closed = true
	close(d.closing)
	for _, l := range d.lanes {
		l.dismissIdle()
	}
	d.mu.Unlock()
	d.routines.Wait()
}
