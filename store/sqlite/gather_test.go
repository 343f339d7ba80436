//go:build cgo

package sqlite_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/magiclink-go/magiclink/store/sqlite"
)

// Calls with a deadline are all committed by the goroutine of the store.
func limited(t *testing.T) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
	t.Cleanup(cancel)
	return ctx
}

// Callers that come back at different times share a commit: the first waits for the last.
func TestSmallCrowdSharesCommits(t *testing.T) {
	inBubble(t, func(t *testing.T, s *sqlite.Store, path string) {
		const rounds, callers = 20, 8
		ctx := limited(t)
		var answered [rounds][callers]time.Time
		var calls []func()
		for caller := range callers {
			calls = append(calls, func() {
				for round := range rounds {
					if err := s.Create(ctx, liveRecord(round*callers+caller)); err != nil {
						t.Error(err)
					}
					answered[round][caller] = time.Now()
					time.Sleep(time.Duration(caller) * 50 * time.Microsecond)
				}
			})
		}
		queueUp(t, path, calls...)
		for round := range rounds {
			for caller := range callers {
				require.Equal(t, answered[round][0], answered[round][caller], "round %d, caller %d", round, caller)
			}
		}
	})
}

// The last caller of a crowd waits once for callers that do not come.
func TestLastOfACrowdGoesOn(t *testing.T) {
	inBubble(t, func(t *testing.T, s *sqlite.Store, path string) {
		ctx := limited(t)
		create := func(number int) { require.NoError(t, s.Create(ctx, liveRecord(number))) }
		queueUp(t, path, func() { create(1) }, func() { create(2) }, func() { create(3) })
		start := time.Now()
		create(4)
		require.Equal(t, time.Millisecond, time.Since(start))
		create(5)
		require.Equal(t, time.Millisecond, time.Since(start), "a lone caller waits for nobody")
	})
}

// A batch does not wait for a call that has failed.
func TestNoWaitAfterAFailure(t *testing.T) {
	inBubble(t, func(t *testing.T, s *sqlite.Store, path string) {
		create(t, s, 1)
		unlock := lock(t, path)
		require.Error(t, s.Create(t.Context(), liveRecord(2)))
		unlock()
		start := time.Now()
		create(t, s, 3)
		require.Zero(t, time.Since(start))
	})
}

func TestNoWaitForOneOrMany(t *testing.T) {
	t.Parallel()
	var g sqlite.Gathering
	for crowd, want := range map[int]int{0: 0, 1: 0, 2: 2, 16: 16, 17: 0, 256: 0} {
		require.Equal(t, want, g.Wait(crowd), "a crowd of %d", crowd)
	}
}

// Where calls come at random moments, waits become rare. Where waits bring the crowd, they stay.
func TestUselessWaitsBecomeRare(t *testing.T) {
	t.Parallel()
	waits := func(g *sqlite.Gathering, batches int, complete bool) (n int) {
		for range batches {
			if g.Wait(5) > 0 {
				n++
				g.Waited(complete)
			}
		}
		return n
	}
	var g sqlite.Gathering
	require.Equal(t, 1000, waits(&g, 1000, true))
	require.LessOrEqual(t, waits(&g, 10_000, false), 30)
	require.Greater(t, waits(&g, 10_000, true), 9_000, "the callers have changed")
	require.Equal(t, 1, waits(&g, 5, false))
	require.Equal(t, 95, waits(&g, 95, true), "one that came late is soon forgotten")
}
