package redis_test

import (
	"context"
	"fmt"
	"maps"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	goredis "github.com/redis/go-redis/v9"

	"github.com/magiclink-go/magiclink"
	"github.com/magiclink-go/magiclink/store/redis"
)

// link returns the record of a link that expires in an hour.
func link(number int) magiclink.Record {
	at := time.Now()
	return magiclink.Record{
		ID: fmt.Sprintf("mlk_%022d", number), Subject: magiclink.Subject{TenantID: "tenant-1", Email: "jane.doe@example.com"},
		Path: "/orders", SessionTimeout: time.Hour, CreatedAt: at, ExpiresAt: at.Add(time.Hour),
	}.Canonical()
}

// callAll makes n calls at the same time and returns their errors.
func callAll(n int, call func(i int) error) []error {
	errs := make([]error, n)
	var group sync.WaitGroup
	for i := range errs {
		group.Go(func() { errs[i] = call(i) })
	}
	group.Wait()
	return errs
}

// limited calls with a deadline, as a handler of a request does.
func limited(t *testing.T, deadline time.Duration, call func(ctx context.Context) error) (time.Duration, error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), deadline)
	defer cancel()
	started := time.Now()
	err := call(ctx)
	return time.Since(started), err
}

func everyCall(store *redis.Store) map[string]func(ctx context.Context, i int) error {
	return map[string]func(ctx context.Context, i int) error{
		"create": func(ctx context.Context, i int) error { return store.Create(ctx, link(i)) },
		"get":    func(ctx context.Context, i int) error { _, err := store.Get(ctx, link(i).ID); return err },
		"consume": func(ctx context.Context, i int) error {
			_, err := store.Consume(ctx, link(i).ID, time.Now(), "by")
			return err
		},
		"revoke": func(ctx context.Context, i int) error { return store.Revoke(ctx, link(i).ID, time.Now()) },
		"purge":  func(ctx context.Context, _ int) error { _, err := store.Purge(ctx, time.UnixMilli(1), 10); return err },
		"ping":   func(ctx context.Context, _ int) error { return store.Ping(ctx) },
	}
}

// allCalls are those of everyCall and of the optional interfaces.
func allCalls(store *redis.Store) map[string]func(ctx context.Context, i int) error {
	all := everyCall(store)
	maps.Copy(all, map[string]func(ctx context.Context, i int) error{
		"list": func(ctx context.Context, _ int) error {
			_, err := store.List(ctx, magiclink.ListQuery{Subject: link(0).Subject, Limit: 100})
			return err
		},
		"revoke subject": func(ctx context.Context, i int) error {
			_, err := store.RevokeSubject(ctx, link(i).Subject, time.Now().Add(time.Minute), time.Now())
			return err
		},
		"take": func(ctx context.Context, i int) error {
			_, err := store.Take(ctx, fmt.Sprint("key ", i), magiclink.Rate{Burst: 5, Every: time.Minute}, time.Now())
			return err
		},
		"reset": func(ctx context.Context, i int) error { return store.Reset(ctx, fmt.Sprint("key ", i)) },
	})
	return all
}

// spy is a hook of a client: it counts round trips, holds them up, or does harm.
type spy struct {
	trips    atomic.Int64 // commands that stand alone, and pipelines
	commands atomic.Int64
	harm     atomic.Pointer[func()]
}

func (s *spy) set(harm func()) {
	if harm == nil {
		s.harm.Store(nil)
		return
	}
	s.harm.Store(&harm)
}

func (s *spy) trip(commands int) {
	s.trips.Add(1)
	s.commands.Add(int64(commands))
	if harm := s.harm.Load(); harm != nil {
		(*harm)()
	}
}

func (s *spy) DialHook(next goredis.DialHook) goredis.DialHook { return next }

func (s *spy) ProcessHook(next goredis.ProcessHook) goredis.ProcessHook {
	return func(ctx context.Context, c goredis.Cmder) error {
		s.trip(1)
		return next(ctx, c)
	}
}

func (s *spy) ProcessPipelineHook(next goredis.ProcessPipelineHook) goredis.ProcessPipelineHook {
	return func(ctx context.Context, all []goredis.Cmder) error {
		s.trip(len(all))
		return next(ctx, all)
	}
}
