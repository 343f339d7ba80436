package crashtest_test

import (
	"context"
	"errors"
	"runtime"
	"time"

	"github.com/magiclink-go/magiclink"
)

// flawed breaks a store in the named way. The empty name leaves it as it is.
func flawed(store magiclink.Store, flaw string) magiclink.Store {
	switch flaw {
	case "early":
		return early{store}
	case "unlocked":
		return unlocked{store}
	case "liar":
		return liar{store}
	case "partial":
		return partial{store}
	}
	return store
}

// early acknowledges before the commit.
type early struct{ magiclink.Store }

func (s early) Create(_ context.Context, record magiclink.Record) error {
	go s.Store.Create(context.Background(), record)
	return nil
}

func (s early) Consume(ctx context.Context, id string, at time.Time, by string) (magiclink.Record, error) {
	record, err := s.Get(ctx, id)
	if err == nil && record.ConsumedAt.IsZero() {
		go s.Store.Consume(context.Background(), id, at, by)
		record.ConsumedAt, record.ConsumedBy = at, by
	}
	return record, err
}

// unlocked checks, and then consumes.
type unlocked struct{ magiclink.Store }

func (s unlocked) Consume(ctx context.Context, id string, at time.Time, by string) (magiclink.Record, error) {
	before, err := s.Get(ctx, id)
	if err != nil || !before.ConsumedAt.IsZero() || !before.RevokedAt.IsZero() || !at.Before(before.ExpiresAt) {
		return s.Store.Consume(ctx, id, at, by)
	}
	runtime.Gosched()
	after, err := s.Store.Consume(ctx, id, at, by)
	if errors.Is(err, magiclink.ErrConsumed) {
		before.ConsumedAt, before.ConsumedBy = at, by
		return before, nil
	}
	return after, err
}

// liar says of what it has done that nothing has changed.
type liar struct{ magiclink.Store }

var errLie = errors.New("nothing has changed")

func (s liar) Create(ctx context.Context, record magiclink.Record) error {
	if err := s.Store.Create(ctx, record); err != nil {
		return err
	}
	if record.ID[len(record.ID)-1] == '7' {
		return errLie
	}
	return nil
}

func (s liar) Consume(ctx context.Context, id string, at time.Time, by string) (magiclink.Record, error) {
	record, err := s.Store.Consume(ctx, id, at, by)
	if err == nil && at.UnixMilli()%16 == 0 {
		return magiclink.Record{}, errLie
	}
	return record, err
}

// partial keeps the links and forgets who has used them.
type partial struct{ magiclink.Store }

func (s partial) Consume(ctx context.Context, id string, at time.Time, by string) (magiclink.Record, error) {
	record, err := s.Get(ctx, id)
	record.ConsumedAt, record.ConsumedBy = at, by
	return record, err
}
