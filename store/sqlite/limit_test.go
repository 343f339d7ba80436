//go:build cgo

package sqlite_test

import (
	"context"
	"database/sql"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/magiclink-go/magiclink"
	"github.com/magiclink-go/magiclink/store/sqlite"
)

// takeAtOnce lets many goroutines take from one key at one moment, by turns from each store, and returns how many were granted.
func takeAtOnce(t testing.TB, takes int, rate magiclink.Rate, at time.Time, stores ...magiclink.Limiter) int {
	t.Helper()
	var granted atomic.Int64
	var group sync.WaitGroup
	for i := range takes {
		group.Go(func() {
			wait, err := stores[i%len(stores)].Take(t.Context(), "key", rate, at)
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

// Three stores on one file stand for three processes.
func TestTenThousandTakes(t *testing.T) {
	path := newPath(t)
	rate, at := magiclink.Rate{Burst: 100, Every: time.Minute}, time.Now()
	stores := []magiclink.Limiter{open(t, path), open(t, path), open(t, path)}
	require.Equal(t, 100, takeAtOnce(t, 10_000, rate, at, stores[0]))
	require.NoError(t, stores[0].Reset(t.Context(), "key"))
	require.Equal(t, 100, takeAtOnce(t, 3000, rate, at, stores...), "over three stores")
	require.Equal(t, 7, takeAtOnce(t, 1000, rate, at.Add(7*time.Minute), stores...), "seven periods later")
}

// The control: a twin that reads and then writes lets more through.
func TestTakesOfATwinThatIsNotAtomic(t *testing.T) {
	path := newPath(t)
	twin := &readsThenWrites{Store: open(t, path), db: pool(t, path)}
	_, err := twin.Store.Take(t.Context(), "key", magiclink.Rate{Burst: 1, Every: time.Minute}, time.Unix(0, 0)) // makes the row
	require.NoError(t, err)
	for n := range 10 {
		at := time.Now().Add(time.Duration(n) * time.Hour)
		if takeAtOnce(t, 300, magiclink.Rate{Burst: 10, Every: time.Minute}, at, twin) > 10 {
			return
		}
	}
	require.Fail(t, "the test does not tell the twin from the store")
}

type readsThenWrites struct {
	*sqlite.Store
	db *sql.DB
	mu sync.Mutex // SQLite has one writer
}

func (r *readsThenWrites) Take(ctx context.Context, key string, rate magiclink.Rate, at time.Time) (time.Duration, error) {
	var arrival int64
	err := r.db.QueryRowContext(ctx, "SELECT arrival FROM magiclink_limits WHERE key = ?", []byte(key)).Scan(&arrival)
	if err != nil {
		return 0, err
	}
	next, wait := rate.Take(arrival, at)
	if wait > 0 {
		return wait, nil
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	_, err = r.db.ExecContext(ctx, "UPDATE magiclink_limits SET arrival = ? WHERE key = ?", next, []byte(key))
	return 0, err
}

func TestTakesSurviveARestart(t *testing.T) {
	path := newPath(t)
	rate, at := magiclink.Rate{Burst: 3, Every: time.Minute}, time.Now()
	s := open(t, path)
	require.Equal(t, 3, takeAtOnce(t, 5, rate, at, s))
	require.NoError(t, s.Close())
	s = open(t, path)
	require.Zero(t, takeAtOnce(t, 5, rate, at, s))
	require.Equal(t, 1, takeAtOnce(t, 5, rate, at.Add(time.Minute), s))
}

// Purge removes the rows of idle keys, and none of the others.
func TestPurgeRemovesIdleKeys(t *testing.T) {
	path := newPath(t)
	s := open(t, path)
	at := time.Now()
	const keys = 450
	for i := range keys {
		wait, err := s.Take(t.Context(), fmt.Sprint("key ", i), magiclink.Rate{Burst: 2, Every: time.Duration(1+i) * time.Second}, at)
		require.NoError(t, err)
		require.Zero(t, wait)
	}
	rows := func() (n int) {
		require.NoError(t, pool(t, path).QueryRowContext(t.Context(), "SELECT count(*) FROM magiclink_limits").Scan(&n))
		return n
	}
	purge(t, s, at, 10, 0)
	require.Equal(t, keys, rows(), "none is idle")
	purge(t, s, at.Add(100*time.Second), 10, 0)
	require.Equal(t, keys-100, rows())
	purge(t, s, at.Add(keys*time.Second), 10, 0)
	require.Zero(t, rows())
}

// BenchmarkTake measures Take of one key, and of many.
func BenchmarkTake(b *testing.B) {
	for name, key := range map[string]func(i int) string{
		"one key": func(int) string { return "key" }, "many keys": func(i int) string { return fmt.Sprint(i % 100_000) },
	} {
		for _, callers := range []int{1, 64} {
			for outcome, rate := range map[string]magiclink.Rate{
				"granted": {Burst: 1_000_000, Every: time.Millisecond}, "refused": {Burst: 1, Every: 24 * time.Hour},
			} {
				b.Run(fmt.Sprintf("%s/%s/%d", name, outcome, callers), func(b *testing.B) {
					s := open(b, newPath(b))
					took := together(b, callers, b.N, func(i int) error {
						_, err := s.Take(b.Context(), key(i), rate, time.Now())
						return err
					})
					b.ReportMetric(float64(b.N)/took.Seconds(), "takes/s")
				})
			}
		}
	}
}
