package memory_test

import (
	"context"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/magiclink-go/magiclink"
	"github.com/magiclink-go/magiclink/store/memory"
)

// takeAtOnce lets many goroutines take from one key at one moment and returns how many were granted.
func takeAtOnce(t *testing.T, takes int, rate magiclink.Rate, at time.Time, store magiclink.Limiter) int {
	t.Helper()
	var granted atomic.Int64
	var group sync.WaitGroup
	for range takes {
		group.Go(func() {
			wait, err := store.Take(t.Context(), "key", rate, at)
			if err != nil {
				t.Errorf("Take: %v", err)
			} else if wait == 0 {
				granted.Add(1)
			}
		})
	}
	group.Wait()
	return int(granted.Load())
}

func TestTenThousandTakes(t *testing.T) {
	rate, at, store := magiclink.Rate{Burst: 100, Every: time.Minute}, time.Now(), memory.New()
	require.Equal(t, 100, takeAtOnce(t, 10_000, rate, at, store))
	require.Equal(t, 7, takeAtOnce(t, 1000, rate, at.Add(7*time.Minute), store), "seven periods later")
	require.Equal(t, 1, takeAtOnce(t, 1000, rate, at.Add(-time.Hour), store), "a clock that is set back opens for no burst")
	require.Equal(t, 1, takeAtOnce(t, 1000, rate, at.Add(-59*time.Minute), store), "and locks nobody out")
}

// The control: a twin that reads and then writes lets more through.
func TestTakesOfATwinThatIsNotAtomic(t *testing.T) {
	for range 10 {
		if takeAtOnce(t, 10_000, magiclink.Rate{Burst: 100, Every: time.Minute}, time.Now(), new(readsThenWrites)) > 100 {
			return
		}
	}
	require.Fail(t, "the test does not tell the twin from the store")
}

type readsThenWrites struct{ arrival atomic.Int64 }

func (r *readsThenWrites) Take(_ context.Context, _ string, rate magiclink.Rate, at time.Time) (time.Duration, error) {
	next, wait := rate.Take(r.arrival.Load(), at)
	runtime.Gosched()
	r.arrival.Store(next)
	return wait, nil
}

func (r *readsThenWrites) Reset(context.Context, string) error { return nil }
