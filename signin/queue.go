package signin

import (
	"context"
	"crypto/rand"
	"encoding/binary"
	"math"
	"runtime"
	"sync"
	"sync/atomic"
	"time"
)

// concurrent is how many requests are looked up at once, and how many mails are sent at once.
const concurrent = 8

const (
	longestRest = 20 * time.Millisecond // and the shortest is a twentieth of it
	maxRests    = 10                    // a service that is never idle still sends mails
)

// restsUpTo is longestRest but in the tests that measure.
var restsUpTo = longestRest

// queue runs the work that no request waits for. Each piece of work is a goroutine of its own; their number is bounded, and so is how many of
// them look something up or send a mail at one time.
type queue struct {
	ctx    context.Context //nolint:containedctx // of all work: it ends when Close gives up
	cancel context.CancelFunc

	lookups, sends chan struct{}
	digests        chan struct{} // at most half of the processors make digests of codes, so that a flood of requests leaves some to answer

	serving atomic.Int64 // requests that are being answered

	mu     sync.Mutex
	size   int
	held   int
	closed bool
	idle   chan struct{} // closed when nothing is held any more
}

func newQueue(size int) *queue {
	ctx, cancel := context.WithCancel(context.Background())
	return &queue{
		ctx: ctx, cancel: cancel, size: size, lookups: make(chan struct{}, concurrent), sends: make(chan struct{}, concurrent),
		digests: make(chan struct{}, max(1, runtime.GOMAXPROCS(0)/2)),
	}
}

// add runs the work, or reports false when there is too much of it already. A panic in it ends here.
func (q *queue) add(work func(context.Context)) bool {
	q.mu.Lock()
	if q.closed || q.held >= q.size {
		q.mu.Unlock()
		return false
	}
	q.hold()
	q.mu.Unlock()
	go func() {
		defer q.release()
		defer func() { _ = recover() }() // the work contains the panics of hooks itself, and says so
		work(q.ctx)
	}()
	return true
}

// hold needs the lock.
func (q *queue) hold() {
	if q.held == 0 {
		q.idle = make(chan struct{})
	}
	q.held++
}

func (q *queue) release() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.held--
	if q.held == 0 {
		close(q.idle)
	}
}

// call runs a call that may ignore its context, and returns when it has ended or its context has. A call that goes on counts against the size
// of the queue until it ends.
func (q *queue) call(ctx context.Context, call func(context.Context) error) error {
	q.mu.Lock()
	q.hold()
	q.mu.Unlock()
	done := make(chan error, 1)
	go func() {
		defer q.release()
		err := errPanic
		defer func() {
			_ = recover()
			done <- err
		}()
		err = call(ctx)
	}()
	select {
	case err := <-done:
		return err
	case <-ctx.Done():
		return ctx.Err()
	}
}

// enter waits for a place, and reports false when the queue has given up.
func enter(ctx context.Context, places chan struct{}) bool {
	select {
	case places <- struct{}{}:
		return true
	case <-ctx.Done():
		return false
	}
}

// rest separates the work that is the same for every address from the work that is not, and reports false when the queue has given up.
//
// A service with one processor answers a request that comes meanwhile when that processor is free. Without a rest that would be after both works, and the
// answer would tell an address for which there is much to do. In the rest it is answered. When the rest ends nobody can foretell, so that nobody
// can send a request for that moment.
func (q *queue) rest(ctx context.Context) bool {
	for range maxRests {
		if !pause(ctx, restsUpTo/20+randomPart(restsUpTo*19/20)) {
			return false
		}
		if q.serving.Load() == 0 {
			break
		}
	}
	return true
}

// randomPart is from zero to the whole.
func randomPart(whole time.Duration) time.Duration {
	var random [2]byte
	rand.Read(random[:]) // never fails: see its documentation
	return whole * time.Duration(binary.BigEndian.Uint16(random[:])) / math.MaxUint16
}

// pause reports false when the queue has given up.
func pause(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}

func leave(places chan struct{}) { <-places }

// wait returns when nothing is held any more, or with the error of the context.
func (q *queue) wait(ctx context.Context) error {
	q.mu.Lock()
	idle, busy := q.idle, q.held > 0
	q.mu.Unlock()
	if !busy {
		return nil
	}
	select {
	case <-idle:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// close takes no more work, waits for what there is, and gives up when the context ends.
func (q *queue) close(ctx context.Context) error {
	q.mu.Lock()
	q.closed = true
	q.mu.Unlock()
	err := q.wait(ctx)
	q.cancel()
	return err
}
