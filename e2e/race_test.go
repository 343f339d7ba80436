package e2e_test

import (
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestTwoProcessesRace lets clients race for each link, half of them at each of two processes on one data directory.
func TestTwoProcessesRace(t *testing.T) {
	t.Parallel()
	const links, racers = 300, 16
	data, baseURL := t.TempDir(), "https://app.example.com/magic"
	first := startIn(t, data, baseURL)
	second := startIn(t, data, baseURL)
	require.NotEqual(t, first.origin, second.origin)
	for i, l := range first.issueAll(make([]string, links)) {
		statuses := make([]int, racers)
		errs := make([]error, racers)
		begin := make(chan struct{})
		var wg sync.WaitGroup
		for racer := range racers {
			at := []*service{first, second}[racer%2]
			wg.Go(func() {
				<-begin
				statuses[racer], errs[racer] = at.redeem(l)
			})
		}
		close(begin)
		wg.Wait()
		count := map[int]int{}
		for racer := range racers {
			require.NoError(t, errs[racer])
			count[statuses[racer]]++
		}
		require.Equal(t, map[int]int{http.StatusOK: 1, http.StatusGone: racers - 1}, count, "link %d", i)
	}
}

// redeem uses a link up as a back end does.
func (s *service) redeem(l link) (status int, err error) {
	response, err := client.Post(s.origin+"/v0/auth/magic-link/redeem", "application/json",
		strings.NewReader(fmt.Sprintf(`{"token":%q}`, l.token())))
	if err != nil {
		return 0, err
	}
	defer response.Body.Close()
	_, err = io.Copy(io.Discard, response.Body)
	return response.StatusCode, err
}
