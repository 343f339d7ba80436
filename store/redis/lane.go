package redis

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/magiclink-go/magiclink"
)

const (
	maxBatch = 128 // calls in a pipeline: it bounds how long the first of them waits for the last
	limit    = 64  // pipelines on their way side by side, with those that are late

	// serverWidth is how many pipelines are on their way to one server in time: one is written while the server works on the other.
	serverWidth = 2
)

// lane sends calls to the server. Calls queue up, and runners take them from the queue: one pipeline carries all that wait.
// A call that finds no runner at work starts one and waits for nobody.
//
// No context of a caller is used by a runner: a context may panic or block.
type lane struct {
	send    func(ctx context.Context, l *lane, calls []*call) // answers every call
	width   int                                               // how many pipelines are on their way side by side while the server answers in time
	timeout time.Duration
	closing chan struct{} // closed when closed is set

	mu       sync.Mutex
	closed   bool
	queue    []*call
	left     int // how many calls in the queue have left
	working  []*runner
	late     int     // those of them whose pipeline takes longer than patience
	idle     *runner // waits for work; nil if there is none
	spare    *runner // for a caller that leads; nil if there is none
	watched  bool    // a watcher is running
	routines sync.WaitGroup
}

// do carries out one call. With an error nothing was changed, unless it matches [magiclink.ErrUnknownOutcome].
func (l *lane) do(ctx context.Context, c *call) error {
	left, err := l.begin(ctx, c, true)
	if err != nil {
		return err
	}
	return l.await(ctx, c, left)
}

// begin puts a call into the queue. The caller has to await it if begin returns no error. CanLead allows the caller to carry out the call
// itself.
func (l *lane) begin(ctx context.Context, c *call, canLead bool) (left <-chan struct{}, err error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	left = ctx.Done() // before the call is in the queue: a context may panic
	c.deadline = deadlineOf(ctx.Deadline())
	r, err := l.submit(c, canLead && left == nil)
	if r != nil {
		r.lead()
	}
	return left, err
}

// await waits until the call is answered, or until left is closed.
func (l *lane) await(ctx context.Context, c *call, left <-chan struct{}) error {
	if c.done == nil {
		return c.failure
	}
	select {
	case <-c.done:
		return c.failure
	case <-left:
	}
	was := l.leave(c)
	if was == answered {
		return c.failure
	}
	return leftEarly(ctx, was == running && !c.reads)
}

// leftEarly returns the error of a caller whose context has ended. Unknown says that a write may take place.
func leftEarly(ctx context.Context, unknown bool) error {
	err := ctx.Err()
	if err == nil {
		err = context.Canceled // the context has ended without an error
	}
	if unknown {
		err = fmt.Errorf("%w: %w", magiclink.ErrUnknownOutcome, err)
	}
	return err
}

// submit puts a call into the queue. If nobody waits there, a caller whose context cannot end can carry out its call itself,
// which spares a lone call the way to another goroutine: then submit returns a runner that the caller has to lead.
func (l *lane) submit(c *call, canLead bool) (*runner, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed {
		return nil, ErrClosed
	}
	if canLead && len(l.queue) == 0 && l.hasRoom() {
		return l.leader(c), nil
	}
	c.done = make(chan struct{})
	l.queue = append(l.queue, c)
	l.startRunner()
	return nil, nil
}

// leave gives a call up because its context has ended. It returns the state in which the call was.
func (l *lane) leave(c *call) state {
	l.mu.Lock()
	defer l.mu.Unlock()
	was := c.state
	if was == queued || was == running {
		c.state = abandoned
	}
	if was == queued {
		l.forget()
	}
	return was
}

// forget counts a call that has left the queue, and frees the memory of such calls now and then: while the server is away,
// nobody takes calls from the queue. The caller holds l.mu.
func (l *lane) forget() {
	if l.left++; l.left > len(l.queue)/2 {
		l.queue, l.left = waiting(l.queue), 0
	}
}

// take removes the next calls from the queue. The caller holds l.mu.
func (l *lane) take() []*call {
	if l.left > 0 {
		l.queue, l.left = waiting(l.queue), 0
	}
	n := min(len(l.queue), maxBatch)
	calls := l.queue[:n:n]
	if l.queue = l.queue[n:]; len(l.queue) == 0 {
		l.queue = nil
	}
	return calls
}

// waiting returns the calls that have not left.
func waiting(queue []*call) []*call {
	kept := make([]*call, 0, len(queue))
	for _, c := range queue {
		if c.state == queued {
			kept = append(kept, c)
		}
	}
	return kept
}

// answer ends calls whose verdict or failure is set.
func (l *lane) answer(calls ...*call) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, c := range calls {
		if c.state == running {
			c.state = answered
			if c.done != nil {
				close(c.done)
			}
		}
	}
}

// close lets no more calls in, waits until those inside are answered, and ends the goroutines.
func (l *lane) close() {
	l.mu.Lock()
	if !l.closed {
		l.closed = true
		close(l.closing)
		l.dismissIdle()
		if l.spare != nil {
			l.spare.release()
		}
	}
	l.mu.Unlock()
	l.routines.Wait()
}
