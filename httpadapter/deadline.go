package httpadapter

import (
	"context"
	"sync"
	"time"
)

// deadline is what [context.WithDeadline] makes, made in two steps: the channel, the timer and the entry in the parent come with the first
// Done. A store in memory asks for none of them, and they cost a twentieth of a request that issues a link.
type deadline struct {
	context.Context // the parent
	at              time.Time

	mu    sync.Mutex
	over  bool               // cancel was called
	whole context.Context    // the context itself, from the first Done on
	end   context.CancelFunc // of whole
}

func withDeadline(parent context.Context, at time.Time) (context.Context, context.CancelFunc) {
	d := &deadline{Context: parent, at: at}
	return d, d.cancel
}

// Deadline implements [context.Context].
func (d *deadline) Deadline() (time.Time, bool) {
	if earlier, ok := d.Context.Deadline(); ok && earlier.Before(d.at) {
		return earlier, true
	}
	return d.at, true
}

// Done implements [context.Context].
func (d *deadline) Done() <-chan struct{} { return d.complete().Done() }

// Err completes a context that has ended, so that it keeps its reason.
func (d *deadline) Err() error {
	if whole, over := d.state(); whole == nil && !over && d.Context.Err() == nil && time.Now().Before(d.at) {
		return nil
	}
	return d.complete().Err()
}

// Value asks the whole context, since the package context finds the parent of a new context by a value.
func (d *deadline) Value(key any) any {
	if whole, _ := d.state(); whole != nil {
		return whole.Value(key)
	}
	return d.Context.Value(key)
}

func (d *deadline) state() (whole context.Context, over bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.whole, d.over
}

func (d *deadline) complete() context.Context {
	d.mu.Lock()
	defer d.mu.Unlock()
	switch {
	case d.whole != nil:
	case d.over: // before the time was over, even if it is now
		d.whole, d.end = context.WithCancel(d.Context)
		d.end()
	default:
		d.whole, d.end = context.WithDeadline(d.Context, d.at)
	}
	return d.whole
}

func (d *deadline) cancel() {
	d.mu.Lock()
	d.over = true
	end := d.end
	d.mu.Unlock()
	if end != nil {
		end()
	}
}
