package e2e_test

import (
	"net/http"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestTwoProcessesRace lets clients race for each link, half of them at each of two processes on one data directory.
func TestTwoProcessesRace(t *testing.T) {
	t.Parallel()
	const links, racers = 300, 16
	data, baseURL := t.TempDir(), "https://app.example.com/magic"
	first := startIn(t, data, "-base-url", baseURL)
	second := startIn(t, data, "-base-url", baseURL)
	require.NotEqual(t, first.Origin, second.Origin)
	for i, l := range first.issueAll(make([]string, links)) {
		statuses := make([]int, racers)
		begin := make(chan struct{})
		var wg sync.WaitGroup
		for racer := range racers {
			at := []*service{first, second}[racer%2]
			wg.Go(func() {
				<-begin
				statuses[racer] = at.Redeem(l.url).Status
			})
		}
		close(begin)
		wg.Wait()
		count := map[int]int{}
		for racer := range racers {
			count[statuses[racer]]++
		}
		require.Equal(t, map[int]int{http.StatusOK: 1, http.StatusGone: racers - 1}, count, "link %d", i)
	}
}
