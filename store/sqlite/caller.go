package sqlite

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// errEnded stands for the error of a caller's context, which only the caller's goroutine asks for.
var errEnded = errors.New("the context has ended")

// caller is what the store knows of a caller's context.
type caller struct {
	ended   <-chan struct{} // closed when the context has ended; nil if it never ends
	patient bool            // the context has no deadline
}

// look asks a caller's context everything that the store needs to know. It returns an error if the context has ended.
//
// A context is code of the caller: each of its methods may panic, end the goroutine or block for ever. So the store calls them
// in the caller's goroutine only, and only while it holds no lock and is not counted among the calls that Close waits for. All
// that happens in between gets the channel, or an endedContext.
func look(ctx context.Context) (caller, error) {
	if err := ctx.Err(); err != nil {
		return caller{}, err
	}
	_, limited := ctx.Deadline()
	return caller{ended: ctx.Done(), patient: !limited}, nil
}

// cause returns the error of a context that has ended. It is never nil, so that no call succeeds by mistake.
func cause(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	return errEnded
}

// withCause puts the error of the context before a failure that its end has caused.
func withCause(ctx context.Context, from caller, failure error) error {
	if failure == nil || !hasEnded(from.ended) {
		return failure
	}
	return fmt.Errorf("%w: %w", cause(ctx), failure)
}

func hasEnded(ended <-chan struct{}) bool {
	select {
	case <-ended:
		return true
	default:
		return false
	}
}

// endedContext is what database/sql gets in place of the caller's context, whose methods it would call under its locks.
type endedContext struct{ ended <-chan struct{} }

// Deadline returns none: the end is all that is passed on.
func (endedContext) Deadline() (time.Time, bool) { return time.Time{}, false }

// Done returns the channel that is closed when the caller's context ends.
func (c endedContext) Done() <-chan struct{} { return c.ended }

// Err returns errEnded once the caller's context has ended.
func (c endedContext) Err() error {
	if hasEnded(c.ended) {
		return errEnded
	}
	return nil
}

// Value returns nil.
func (endedContext) Value(any) any { return nil }
