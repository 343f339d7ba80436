package memory_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/magiclink-go/magiclink"
	"github.com/magiclink-go/magiclink/store/memory"
	"github.com/magiclink-go/magiclink/store/storetest"
)

func TestStore(t *testing.T) {
	storetest.Run(t, func(*testing.T) magiclink.Store { return memory.New() })
}

func BenchmarkStore(b *testing.B) {
	storetest.Benchmark(b, func(*testing.B) magiclink.Store { return memory.New() })
}

func TestStoresShareNothing(t *testing.T) {
	one, other := memory.New(), memory.New()
	record := magiclink.Record{ID: "mlk_0000000000000000000001", ExpiresAt: time.Now().Add(time.Hour)}
	require.NoError(t, one.Create(t.Context(), record))

	_, err := other.Get(t.Context(), record.ID)
	require.ErrorIs(t, err, magiclink.ErrNotFound)
}

// A store that New did not make returns errors: it never seems to keep a record.
func TestStoreWithoutNew(t *testing.T) {
	const advice = "the Store is not initialized: use New"
	for name, s := range map[string]*memory.Store{"zero": {}, "nil": nil} {
		t.Run(name, func(t *testing.T) {
			require.ErrorContains(t, s.Create(t.Context(), magiclink.Record{}), "magiclink/memory: create: "+advice)
			_, err := s.Get(t.Context(), "")
			require.ErrorContains(t, err, "magiclink/memory: get: "+advice)
			_, err = s.Consume(t.Context(), "", time.Now(), "")
			require.ErrorContains(t, err, "magiclink/memory: consume: "+advice)
			require.ErrorContains(t, s.Revoke(t.Context(), "", time.Now()), "magiclink/memory: revoke: "+advice)
			_, err = s.Purge(t.Context(), time.Now(), 1)
			require.ErrorContains(t, err, "magiclink/memory: purge: "+advice)
		})
	}
}

func TestErrorsSayWhatToDo(t *testing.T) {
	s := memory.New()
	_, err := s.Consume(t.Context(), "mlk_0000000000000000000001", time.Time{}, "")
	require.EqualError(t, err, "magiclink/memory: consume: the time is zero: pass the current time")
	require.EqualError(t, s.Revoke(t.Context(), "mlk_0000000000000000000001", time.Time{}),
		"magiclink/memory: revoke: the time is zero: pass the current time")
	_, err = s.Purge(t.Context(), time.Now(), 0)
	require.EqualError(t, err, "magiclink/memory: purge: the limit is 0: pass a limit of at least 1")
}

// Purging in steps reaches every record, whatever its shard.
func TestPurgeInSteps(t *testing.T) {
	const total, step = 1000, 7
	s := memory.New()
	now := time.Now()
	for i := range total {
		record := magiclink.Record{ID: fmt.Sprintf("mlk_%022d", i), ExpiresAt: now.Add(-time.Minute)}
		require.NoError(t, s.Create(t.Context(), record))
	}
	removed := 0
	for {
		n, err := s.Purge(t.Context(), now, step)
		require.NoError(t, err)
		require.LessOrEqual(t, n, step)
		removed += n
		if n < step {
			break
		}
	}
	require.Equal(t, total, removed)
}

func ExampleNew() {
	store := memory.New()
	ctx := context.Background()
	now := time.Date(2026, 1, 1, 12, 0, 0, 0, time.UTC)

	err := store.Create(ctx, magiclink.Record{ID: "mlk_2kPn8QxYw1TzB4vR7sHd3e", ExpiresAt: now.Add(time.Hour)})
	fmt.Println(err)
	_, err = store.Consume(ctx, "mlk_2kPn8QxYw1TzB4vR7sHd3e", now, "browser 1")
	fmt.Println(err)
	_, err = store.Consume(ctx, "mlk_2kPn8QxYw1TzB4vR7sHd3e", now, "browser 1") // the same call, repeated
	fmt.Println(err)
	_, err = store.Consume(ctx, "mlk_2kPn8QxYw1TzB4vR7sHd3e", now, "browser 2")
	fmt.Println(err)
	// Output:
	// <nil>
	// <nil>
	// <nil>
	// magiclink: the link was already used
}
