package redis

import (
	"context"
	"time"
)

// bounded is a context that ends later than it says. Go-redis sets the deadline of a connection by it.
type bounded struct {
	context.Context
	deadline time.Time
}

// Deadline implements [context.Context].
func (b bounded) Deadline() (time.Time, bool) { return b.deadline, true }

// context returns a context that ends between one and two timeouts after the runner began with its batch. The runner uses it for many
// batches: the timer of a context for each batch would cost a lone call a twentieth.
func (r *runner) context() context.Context {
	timeout := r.lane.timeout
	if r.until.Sub(r.began) < timeout {
		r.release()
		r.until = r.began.Add(2 * timeout)
		r.ctx, r.cancel = context.WithDeadline(context.Background(), r.until)
	}
	return r.ctx
}

// release frees the timer of the context.
func (r *runner) release() {
	if r.cancel != nil {
		r.cancel()
	}
	r.until = time.Time{}
}
