package redis

import (
	"context"

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
	if !s.lane.enter() {
		return zero, ErrClosed
	}
	done := make(chan result, 1)
	go func() {
		defer s.lane.routines.Done()
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

// enter counts a goroutine in, unless the lane is closed.
func (l *lane) enter() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if !l.closed {
		l.routines.Add(1)
	}
	return !l.closed
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
