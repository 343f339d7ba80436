package storetest_test

import (
	"context"
	"time"

	"github.com/magiclink-go/magiclink"
)

// forgetful forgets a record as soon as its End has passed on the real clock, as an engine with keys that expire does.
// Its Purge has nothing to do.
type forgetful struct{ *flawed }

func (s *forgetful) forget() {
	_, _ = s.flawed.Purge(context.Background(), time.Now(), 1<<30)
}

func (s *forgetful) Create(ctx context.Context, r magiclink.Record) error {
	defer s.forget()
	return s.flawed.Create(ctx, r)
}

func (s *forgetful) Get(ctx context.Context, id string) (magiclink.Record, error) {
	s.forget()
	return s.flawed.Get(ctx, id)
}

func (s *forgetful) Consume(ctx context.Context, id string, at time.Time, by string) (magiclink.Record, error) {
	s.forget()
	defer s.forget()
	return s.flawed.Consume(ctx, id, at, by)
}

func (s *forgetful) Revoke(ctx context.Context, id string, at time.Time) error {
	s.forget()
	defer s.forget()
	return s.flawed.Revoke(ctx, id, at)
}

func (s *forgetful) Purge(ctx context.Context, _ time.Time, limit int) (int, error) {
	if err := ctx.Err(); err != nil {
		return 0, err
	}
	if limit < 1 {
		return s.flawed.Purge(ctx, time.Time{}, limit)
	}
	return 0, nil
}
