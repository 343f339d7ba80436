package crashtest_test

import (
	"context"
	"sync"
	"time"

	"github.com/magiclink-go/magiclink"
)

// unbatched lets one write at a time through to a store, so that each has a commit of its own.
type unbatched struct {
	magiclink.Store
	mu sync.Mutex
}

func (s *unbatched) Create(ctx context.Context, record magiclink.Record) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.Store.Create(ctx, record)
}

func (s *unbatched) Consume(ctx context.Context, id string, at time.Time, by string) (magiclink.Record, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.Store.Consume(ctx, id, at, by)
}

func (s *unbatched) Revoke(ctx context.Context, id string, at time.Time) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.Store.Revoke(ctx, id, at)
}

func (s *unbatched) Purge(ctx context.Context, before time.Time, limit int) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.Store.Purge(ctx, before, limit)
}
