package redis

import (
	"context"
	"sync"

	goredis "github.com/redis/go-redis/v9"
)

// apart runs work in a goroutine of its own, with a context of its own: the caller leaves as soon as its context ends, and the
// connection stays intact. It returns what work returned. Writes says that a work whose caller has left may have changed something.
func apart[T any](ctx context.Context, s *Store, writes bool, work func(context.Context) (T, error)) (T, error) {
	type result struct {
		value T
		err   error
	}
	var zero T
	if err := ctx.Err(); err != nil {
		return zero, err
	}
	left := ctx.Done()
	if !s.steps.enter() {
		return zero, ErrClosed
	}
	done := make(chan result, 1)
	go func() { //nolint:gosec // G118: a caller's context may panic or block
		defer s.steps.group.Done()
		own, cancel := context.WithTimeout(context.Background(), s.options.Timeout)
		defer cancel()
		r := result{err: errHook}
		defer func() { // also when a hook panics, or ends the goroutine
			_ = recover()
			done <- r
		}()
		r.value, r.err = work(own)
	}()
	select {
	case r := <-done:
		return r.value, r.err
	case <-left:
	}
	return zero, leftEarly(ctx, writes)
}

// routines are goroutines that end by themselves.
type routines struct {
	mu     sync.Mutex
	closed bool
	group  sync.WaitGroup
}

// enter counts a goroutine in, unless the routines are closed.
func (r *routines) enter() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if !r.closed {
		r.group.Add(1)
	}
	return !r.closed
}

// close lets no more goroutines in and waits for those inside.
func (r *routines) close() {
	r.mu.Lock()
	r.closed = true
	r.mu.Unlock()
	r.group.Wait()
}

// masters returns the clients of the servers that take writes.
func masters(ctx context.Context, client goredis.UniversalClient) ([]*goredis.Client, error) {
	cluster, ok := client.(*goredis.ClusterClient)
	if !ok {
		return []*goredis.Client{client.(*goredis.Client)}, nil
	}
	found := make(chan *goredis.Client, 1<<12)
	err := cluster.ForEachMaster(ctx, func(_ context.Context, one *goredis.Client) error {
		found <- one
		return nil
	})
	close(found)
	var all []*goredis.Client
	for one := range found {
		all = append(all, one)
	}
	return all, err
}
