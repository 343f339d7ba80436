package magiclink_test

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/magiclink-go/magiclink"
	"github.com/magiclink-go/magiclink/store/memory"
)

// wrapper is a store that adds nothing and can be unwrapped.
type wrapper struct{ magiclink.Store }

func (w wrapper) Unwrap() magiclink.Store { return w.Store }

// opaque is a store that cannot be unwrapped.
type opaque struct{ magiclink.Store }

// pingable has an optional interface and is a wrapper as well.
type pingable struct {
	wrapper
	name string
}

func (p pingable) Ping() string { return p.name }

// endless is a wrapper by mistake: it returns itself.
type endless struct{ magiclink.Store }

func (e *endless) Unwrap() magiclink.Store { return e }

func TestStoreAs(t *testing.T) {
	inner := pingable{wrapper{memory.New()}, "inner"}
	for name, test := range map[string]struct {
		store magiclink.Store
		want  string // the name of the store that was found; empty: none
	}{
		"itself":          {inner, "inner"},
		"one wrapper":     {wrapper{inner}, "inner"},
		"three wrappers":  {wrapper{wrapper{wrapper{inner}}}, "inner"},
		"the outermost":   {pingable{wrapper{inner}, "outer"}, "outer"},
		"outer, wrapped":  {wrapper{pingable{wrapper{inner}, "outer"}}, "outer"},
		"cannot unwrap":   {opaque{inner}, ""},
		"hidden":          {wrapper{opaque{inner}}, ""},
		"none has it":     {wrapper{wrapper{memory.New()}}, ""},
		"wraps nothing":   {wrapper{}, ""},
		"nil":             {nil, ""},
		"wraps itself":    {new(endless), ""},
		"a store of ours": {memory.New(), ""},
	} {
		t.Run(name, func(t *testing.T) {
			found, ok := magiclink.StoreAs[interface{ Ping() string }](test.store)
			require.Equal(t, test.want != "", ok)
			if !ok {
				require.Nil(t, found)
				return
			}
			require.Equal(t, test.want, found.Ping())
		})
	}
}

// T may be a concrete type, too.
func TestStoreAsConcreteType(t *testing.T) {
	store := memory.New()
	found, ok := magiclink.StoreAs[*memory.Store](wrapper{wrapper{store}})
	require.True(t, ok)
	require.Same(t, store, found)
	_, ok = magiclink.StoreAs[io.Closer](wrapper{store})
	require.False(t, ok)
}

// purged is one call of Purge.
type purged struct {
	after  time.Duration // since the start
	before time.Time
	limit  int
}

// purgeStore answers each call of Purge as the test says.
type purgeStore struct {
	magiclink.Store
	answer func(ctx context.Context, call int) (int, error)

	mu    sync.Mutex
	start time.Time
	calls []purged
}

func (s *purgeStore) Purge(ctx context.Context, before time.Time, limit int) (int, error) {
	s.mu.Lock()
	s.calls = append(s.calls, purged{time.Since(s.start), before, limit})
	call := len(s.calls)
	s.mu.Unlock()
	if s.answer == nil {
		return 0, nil
	}
	return s.answer(ctx, call)
}

// purging runs PurgeEvery for a while of fake time and returns when Purge was called. It demands that PurgeEvery ends with
// its context.
func purging(t *testing.T, store *purgeStore, every, lasts time.Duration) (after []time.Duration, log string) {
	t.Helper()
	var buf lockedBuffer
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), lasts)
		defer cancel()
		store.start = time.Now()
		logger := slog.New(slog.NewTextHandler(&buf, &slog.HandlerOptions{Level: slog.LevelDebug}))
		magiclink.PurgeEvery(ctx, store, every, logger)
		require.Equal(t, lasts, time.Since(store.start), "it stops as soon as its context ends, and not before")
	})
	for _, call := range store.calls {
		after = append(after, call.after)
	}
	return after, buf.String()
}

// It purges at once and then in every interval.
func TestPurgeEvery(t *testing.T) {
	const h, m = time.Hour, time.Minute
	for name, test := range map[string]struct {
		every, lasts time.Duration
		want         []time.Duration
	}{
		"hourly":            {h, 3*h + m, []time.Duration{0, h, 2 * h, 3 * h}},
		"shorter than that": {h, m, []time.Duration{0}},
		"zero: one minute":  {0, 2*m + 1, []time.Duration{0, m, 2 * m}},
		"negative":          {-h, m + 1, []time.Duration{0, m}},
	} {
		t.Run(name, func(t *testing.T) {
			store := new(purgeStore)
			after, log := purging(t, store, test.every, test.lasts)
			require.Equal(t, test.want, after)
			require.Empty(t, log, "nothing was removed, nothing is said")
			for _, call := range store.calls {
				require.Equal(t, 1000, call.limit)
				require.Equal(t, store.start.Add(call.after-time.Minute), call.before, "one minute longer than necessary")
			}
		})
	}
}

// One round takes as many calls as there are batches.
func TestPurgeEveryInBatches(t *testing.T) {
	store := &purgeStore{answer: func(_ context.Context, call int) (int, error) {
		return []int{0, 1000, 1000, 999, 1000, 0}[call], nil
	}}
	after, log := purging(t, store, time.Hour, time.Hour+1)
	require.Equal(t, []time.Duration{0, 0, 0, time.Hour, time.Hour}, after)
	require.Contains(t, log, "removed=2999")
	require.Contains(t, log, "removed=1000")
}

// Records are removed one minute after their end. A record whose session lasts is kept.
func TestPurgeEveryRemovesWhatHasEnded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store, now := memory.New(), time.Now()
		for id, end := range map[string]time.Duration{"old": -time.Minute - 1e6, "recent": -time.Minute + 1e6, "live": time.Hour} {
			require.NoError(t, store.Create(t.Context(), magiclink.Record{ID: id, ExpiresAt: now.Add(end)}))
		}
		require.NoError(t, store.Create(t.Context(), magiclink.Record{
			ID: "session", ExpiresAt: now.Add(-time.Hour), ConsumedAt: now.Add(-2 * time.Hour), SessionTimeout: 3 * time.Hour,
		}))
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		magiclink.PurgeEvery(ctx, store, time.Hour, slog.New(slog.DiscardHandler))
		for id, want := range map[string]error{"old": magiclink.ErrNotFound, "recent": nil, "live": nil, "session": nil} {
			_, err := store.Get(t.Context(), id)
			require.Equal(t, want, err, id)
		}
	})
}

// A failure of any kind is logged, and the next round begins in time.
func TestPurgeEveryGoesOnAfterAFailure(t *testing.T) {
	for name, fail := range map[string]func(context.Context) (int, error){
		"error":       func(context.Context) (int, error) { return 0, errors.New("the disk is full") },
		"in part":     func(context.Context) (int, error) { return 7, errors.New("the disk is full") },
		"full, error": func(context.Context) (int, error) { return 1000, errors.New("the disk is full") },
		"panic":       func(context.Context) (int, error) { panic(canary) },
		"panic error": func(context.Context) (int, error) { panic(errors.New(canary)) },
		"panic nil":   func(context.Context) (int, error) { panic(any(nil)) },
		"hang":        func(ctx context.Context) (int, error) { <-ctx.Done(); return 0, ctx.Err() }, // for one minute
	} {
		t.Run(name, func(t *testing.T) {
			store := &purgeStore{answer: func(ctx context.Context, call int) (int, error) {
				if call == 1 {
					return fail(ctx)
				}
				return 0, nil
			}}
			after, log := purging(t, store, time.Hour, 2*time.Hour+1)
			require.Equal(t, []time.Duration{0, time.Hour, 2 * time.Hour}, after)
			require.Contains(t, log, "level=ERROR")
			require.Contains(t, log, "magiclink: purge failed")
			require.NotContains(t, log, canary, "the value of a panic may hold anything")
		})
	}
}

// PurgeEvery logs no failure when its context ends.
func TestPurgeEveryStops(t *testing.T) {
	store := &purgeStore{answer: func(ctx context.Context, _ int) (int, error) { <-ctx.Done(); return 0, ctx.Err() }}
	after, log := purging(t, store, time.Hour, time.Second)
	require.Equal(t, []time.Duration{0}, after)
	require.Empty(t, log)

	endless := &purgeStore{answer: func(ctx context.Context, _ int) (int, error) {
		select {
		case <-ctx.Done():
		case <-time.After(time.Second):
		}
		return 1000, nil
	}}
	after, _ = purging(t, endless, time.Hour, 2500*time.Millisecond)
	require.Equal(t, []time.Duration{0, time.Second, 2 * time.Second}, after, "also in the middle of a round")

	ended, cancel := context.WithCancel(t.Context())
	cancel()
	none := new(purgeStore)
	magiclink.PurgeEvery(ended, none, time.Hour, slog.New(slog.DiscardHandler))
	require.Empty(t, none.calls)
}

// A nil store is logged. It does not panic.
func TestPurgeEveryOfNoStore(t *testing.T) {
	for name, store := range map[string]magiclink.Store{"nil": nil, "nil pointer": (*memory.Store)(nil)} {
		t.Run(name, func(t *testing.T) {
			var buf lockedBuffer
			magiclink.PurgeEvery(t.Context(), store, time.Hour, slog.New(slog.NewTextHandler(&buf, nil)))
			require.Contains(t, buf.String(), "the store is nil")
		})
	}
}

// Without a logger it uses that of the process.
func TestPurgeEveryWithoutLogger(t *testing.T) {
	var buf lockedBuffer
	before := slog.Default()
	slog.SetDefault(slog.New(slog.NewTextHandler(&buf, nil)))
	defer slog.SetDefault(before)
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		store := &purgeStore{answer: func(context.Context, int) (int, error) { return 0, errors.New("the disk is full") }}
		magiclink.PurgeEvery(ctx, store, time.Hour, nil)
	})
	require.Contains(t, buf.String(), "the disk is full")
}

// A nil pointer in the interface is no store.
func TestStoreAsOfTypedNil(t *testing.T) {
	require.NotPanics(t, func() {
		_, ok := magiclink.StoreAs[interface{ Ping() string }]((*ptrWrapper)(nil))
		require.False(t, ok)
	})
}

type ptrWrapper struct{ magiclink.Store }

func (w *ptrWrapper) Unwrap() magiclink.Store { return w.Store }
