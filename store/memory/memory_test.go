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

func TestZeroTimeIsRefused(t *testing.T) {
	s := memory.New()
	record := magiclink.Record{ID: "mlk_0000000000000000000001", ExpiresAt: time.Now().Add(time.Hour)}
	require.NoError(t, s.Create(t.Context(), record))

	_, err := s.Consume(t.Context(), record.ID, time.Time{})
	require.ErrorContains(t, err, "magiclink/memory: consume: the time is zero")
	require.ErrorContains(t, s.Revoke(t.Context(), record.ID, time.Time{}), "magiclink/memory: revoke: the time is zero")

	_, err = s.Consume(t.Context(), record.ID, time.Now())
	require.NoError(t, err, "the refused calls have changed nothing")
}

// Purging in steps reaches every record, however they are spread over the shards.
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
	_, err = store.Consume(ctx, "mlk_2kPn8QxYw1TzB4vR7sHd3e", now)
	fmt.Println(err)
	_, err = store.Consume(ctx, "mlk_2kPn8QxYw1TzB4vR7sHd3e", now)
	fmt.Println(err)
	// Output:
	// <nil>
	// <nil>
	// magiclink: the link was already used
}
