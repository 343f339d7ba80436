package postgres_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/magiclink-go/magiclink"
	"github.com/magiclink-go/magiclink/internal/dbtest"
)

// TestLinearizable checks histories of callers on two stores, as two replicas are, with contexts that end at any moment in some.
func TestLinearizable(t *testing.T) {
	histories := 100
	if dbtest.Full() {
		histories = 500
	}
	schema := newSchema()
	stores := []magiclink.Store{
		openStore(t, openPool(t, dbtest.PostgresURL(t), nil), schema),
		openStore(t, openPool(t, dbtest.PostgresURL(t), func(c *pgxpool.Config) {
			c.MaxConns = 2
			c.ConnConfig.DefaultQueryExecMode = pgx.QueryExecModeExec
		}), schema),
	}
	made, unknown, failed, undecided := 0, 0, 0, 0
	for n := range histories {
		callers := []int{2, 6, 8, 12}[n%4]
		h := record(stores, n, callers, n%3 == 0 && callers <= 8)
		if fault := h.fault(); fault != "" {
			t.Fatalf("%d callers: %s", callers, fault)
		}
		made, unknown, failed = made+len(h.history), unknown+h.unknown, failed+h.failed
		if h.undecided {
			undecided++
		}
	}
	t.Logf("%d histories, %d calls, %d of them with an unknown outcome; %d others failed; %d histories were too hard to decide",
		histories, made, unknown, failed, undecided)
	if undecided > histories/20 {
		t.Error("positive control: too many histories were not decided")
	}
	if unknown == 0 {
		t.Error("positive control: no call had an unknown outcome")
	}
}

// TestLinearizableFindsFlaws is the positive control: the same check finds stores that are broken on purpose.
func TestLinearizableFindsFlaws(t *testing.T) {
	for name, flaw := range map[string]func(magiclink.Store) magiclink.Store{
		"checks and then consumes":       func(s magiclink.Store) magiclink.Store { return unlocked{s} },
		"says that nothing has changed":  func(s magiclink.Store) magiclink.Store { return liar{s} },
		"purges by the expiry":           func(s magiclink.Store) magiclink.Store { return forgetful{s} },
		"takes an empty by for the same": func(s magiclink.Store) magiclink.Store { return lenient{s} },
	} {
		t.Run(name, func(t *testing.T) {
			store := openStore(t, openPool(t, dbtest.PostgresURL(t), nil), newSchema())
			for n := range 200 {
				if record([]magiclink.Store{flaw(store)}, n, 8, false).fault() != "" {
					t.Logf("found by history %d", n+1)
					return
				}
			}
			t.Fatal("200 histories have not shown it")
		})
	}
}

// unlocked reads, decides, and then writes.
type unlocked struct{ magiclink.Store }

func (s unlocked) Consume(ctx context.Context, id string, at time.Time, by string) (magiclink.Record, error) {
	before, err := s.Get(ctx, id)
	if err != nil || before.Verdict(at, by) != nil {
		return s.Store.Consume(ctx, id, at, by)
	}
	after, err := s.Store.Consume(ctx, id, at, by)
	if errors.Is(err, magiclink.ErrConsumed) {
		before.ConsumedAt, before.ConsumedBy = at.UTC(), by
		return before, nil
	}
	return after, err
}

// liar says of what it has done that nothing has changed.
type liar struct{ magiclink.Store }

func (s liar) Consume(ctx context.Context, id string, at time.Time, by string) (magiclink.Record, error) {
	record, err := s.Store.Consume(ctx, id, at, by)
	if err == nil && at.UnixMilli()%8 == 0 {
		return magiclink.Record{}, errors.New("nothing has changed")
	}
	return record, err
}

// forgetful hides a record after its expiry, although its session lasts.
type forgetful struct{ magiclink.Store }

func (s forgetful) Get(ctx context.Context, id string) (magiclink.Record, error) {
	record, err := s.Store.Get(ctx, id)
	if err == nil && record.ConsumedAt.UnixMilli() >= record.ExpiresAt.UnixMilli()-3 {
		return magiclink.Record{}, magiclink.ErrNotFound
	}
	return record, err
}

// lenient lets an empty by succeed twice.
type lenient struct{ magiclink.Store }

func (s lenient) Consume(ctx context.Context, id string, at time.Time, by string) (magiclink.Record, error) {
	record, err := s.Store.Consume(ctx, id, at, by)
	if errors.Is(err, magiclink.ErrConsumed) && by == "" {
		if got, failure := s.Get(ctx, id); failure == nil && got.ConsumedBy == "" {
			return got, nil
		}
	}
	return record, err
}
