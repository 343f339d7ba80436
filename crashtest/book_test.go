package crashtest_test

import (
	"database/sql"
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/magiclink-go/magiclink/internal/servetest"
)

// book counts what the callers of a service were told.
type book struct {
	links    map[string]string  // by id
	redeemed map[string]int     // how often it was acknowledged, by id
	refused  int                // links that were answered with 503
	slowest  time.Duration      // of those answers
	other    []servetest.Answer // that should not have come
}

func newBook() *book { return &book{links: map[string]string{}, redeemed: map[string]int{}} }

// issue asks for links, so many callers at once, and books the answers.
func (b *book) issue(t *testing.T, s *service, callers int) (statuses []int) {
	t.Helper()
	answers := atOnce(callers, func(int) servetest.Answer { return s.issue() })
	for _, a := range answers {
		statuses = append(statuses, a.Status)
		switch a.Status {
		case http.StatusCreated:
			b.links[a.Text(t, "magic_link_id")] = a.Text(t, "magic_link")
		case http.StatusServiceUnavailable:
			b.refuse(a)
			b.refused++
		default:
			b.other = append(b.other, a)
		}
	}
	return statuses
}

// redeem redeems links, all at once, and books the answers.
func (b *book) redeem(s *service, ids []string) (statuses []int) {
	answers := atOnce(len(ids), func(n int) servetest.Answer { return s.Redeem(b.links[ids[n]]) })
	for n, a := range answers {
		statuses = append(statuses, a.Status)
		switch a.Status {
		case http.StatusOK:
			b.redeemed[ids[n]]++
		case http.StatusServiceUnavailable:
			b.refuse(a)
		case http.StatusGone:
		default:
			b.other = append(b.other, a)
		}
	}
	return statuses
}

func (b *book) refuse(a servetest.Answer) {
	b.slowest = max(b.slowest, a.Took)
	if a.Header.Get("Retry-After") == "" {
		b.other = append(b.other, a)
	}
}

func atOnce(n int, call func(int) servetest.Answer) []servetest.Answer {
	answers := make([]servetest.Answer, n)
	var group sync.WaitGroup
	for i := range n {
		group.Go(func() { answers[i] = call(i) })
	}
	group.Wait()
	return answers
}

// ids returns so many links that have not been redeemed.
func (b *book) ids(n int) (ids []string) {
	for id := range b.links {
		if len(ids) < n && b.redeemed[id] == 0 {
			ids = append(ids, id)
		}
	}
	return ids
}

// settle redeems every link three times, twice at once, and asserts that each was redeemed exactly once in its life, and at
// most once if a redemption was answered with 503.
func (b *book) settle(t *testing.T, s *service, doubtful []string) {
	t.Helper()
	maybe := map[string]bool{}
	for _, id := range doubtful {
		maybe[id] = true
	}
	for id := range b.links {
		b.redeem(s, []string{id, id})
		require.Equal(t, []int{http.StatusGone}, b.redeem(s, []string{id}))
		if !maybe[id] {
			require.Equal(t, 1, b.redeemed[id], id)
		}
		require.LessOrEqual(t, b.redeemed[id], 1, id)
	}
	require.Empty(t, b.other)
	b.requireRecords(t, s)
}

// requireRecords looks into the database: what nobody was told of are at most the links that were answered with 503.
func (b *book) requireRecords(t *testing.T, s *service) {
	t.Helper()
	db, err := sql.Open("sqlite3", s.database())
	require.NoError(t, err)
	defer db.Close()
	var records int
	var sound string
	require.NoError(t, db.QueryRow("SELECT count(*) FROM magiclink_links").Scan(&records))
	require.NoError(t, db.QueryRow("PRAGMA integrity_check").Scan(&sound))
	require.Equal(t, "ok", sound)
	require.GreaterOrEqual(t, records, len(b.links))
	require.LessOrEqual(t, records, len(b.links)+b.refused)
}
