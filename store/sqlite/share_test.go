//go:build cgo

package sqlite_test

import (
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/magiclink-go/magiclink"
)

func TestTwoStoresOnOneFile(t *testing.T) {
	path := newPath(t)
	stores := []magiclink.Store{open(t, path), open(t, path)}
	const rounds, racers = 20, 16
	for round := range rounds {
		create(t, stores[round%2], round)
		requirePresent(t, stores[1-round%2], round)
		errs := make([]error, racers)
		var group sync.WaitGroup
		for i := range racers {
			group.Go(func() { _, errs[i] = stores[i%2].Consume(t.Context(), liveRecord(round).ID, time.Now(), "") })
		}
		group.Wait()
		won := 0
		for _, err := range errs {
			if err == nil {
				won++
				continue
			}
			require.ErrorIs(t, err, magiclink.ErrConsumed)
		}
		require.Equal(t, 1, won)
	}
}

// Two stores write without pause: neither may starve the other until its patience is over.
func TestTwoBusyStoresOnOneFile(t *testing.T) {
	path := newPath(t)
	stores := []magiclink.Store{open(t, path), open(t, path)}
	const writers, writes = 8, 50
	errs := make(chan error, writers*writes)
	var group sync.WaitGroup
	for writer := range writers {
		group.Go(func() {
			for i := range writes {
				errs <- stores[writer%2].Create(t.Context(), liveRecord(writer*writes+i))
			}
		})
	}
	group.Wait()
	close(errs)
	for err := range errs {
		require.NoError(t, err)
	}
	for i := range writers * writes {
		requirePresent(t, stores[i%2], i)
	}
}

func TestPurgeLetsOthersIn(t *testing.T) {
	path := newPath(t)
	s := open(t, path)
	const dead = 2600
	run(t, path, fmt.Sprintf(`WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < %d)
		INSERT INTO magiclink_links SELECT 'mlk_dead' || i, '', '', '', '', '', 0, x'', 0, i, NULL, i FROM n`, dead))
	create(t, s, 1)

	n, err := s.Purge(t.Context(), time.Now(), 1700)
	require.NoError(t, err)
	require.Equal(t, 1700, n)
	n, err = s.Purge(t.Context(), time.Now(), 1700)
	require.NoError(t, err)
	require.Equal(t, dead-1700, n)
	requirePresent(t, s, 1)
}
