//go:build cgo

package sqlite_test

import (
	"database/sql"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/magiclink-go/magiclink"
	"github.com/magiclink-go/magiclink/store/sqlite"
)

// usedRecord is a record that was used at once and expired an hour ago. Its session lasts as long as the caller says.
func usedRecord(number int, session time.Duration) magiclink.Record {
	r := liveRecord(number)
	r.CreatedAt, r.ExpiresAt = r.CreatedAt.Add(-2*time.Hour), r.ExpiresAt.Add(-2*time.Hour)
	r.ConsumedAt, r.ConsumedBy, r.SessionTimeout = r.CreatedAt, "by", session
	return r
}

func purge(t *testing.T, s magiclink.Store, before time.Time, limit, want int) {
	t.Helper()
	n, err := s.Purge(t.Context(), before, limit)
	require.NoError(t, err)
	require.Equal(t, want, n)
}

// due counts the records that a purge would look at.
func due(t *testing.T, path string, before time.Time) (n int) {
	t.Helper()
	const query = "SELECT count(*) FROM magiclink_links WHERE purge_at < ?"
	require.NoError(t, pool(t, path).QueryRowContext(t.Context(), query, before.UnixMilli()).Scan(&n))
	return n
}

// A redeemed link outlives its expiry for up to 92 days. Only one purge may look at it in that time.
func TestPurgeLooksOnceAtALivingSession(t *testing.T) {
	path := newPath(t)
	s := open(t, path)
	const links, session = 450, 92 * 24 * time.Hour
	now := time.Now()
	for i := range links {
		r := usedRecord(i, session)
		use := r.ConsumedAt
		r.ConsumedAt, r.ConsumedBy = time.Time{}, ""
		require.NoError(t, s.Create(t.Context(), r))
		_, err := s.Consume(t.Context(), r.ID, use, "by")
		require.NoError(t, err)
	}
	require.Equal(t, links, due(t, path, now))
	purge(t, s, now, 1, 0)
	require.Zero(t, due(t, path, now))
	requirePresent(t, s, links-1)

	end := usedRecord(0, session).End().Add(time.Minute)
	purge(t, s, end, 100, 100)
	purge(t, s, end, links, links-100)
}

// A link whose session was ended goes at its expiry, also after a purge has postponed it.
func TestPurgeOfAnEndedSession(t *testing.T) {
	s := open(t, newPath(t))
	now := time.Now()
	require.NoError(t, s.Create(t.Context(), usedRecord(1, 24*time.Hour)))
	purge(t, s, now, 10, 0)
	require.NoError(t, s.Revoke(t.Context(), liveRecord(1).ID, now))
	purge(t, s, now, 10, 1)
}

// A session may end before its link would have expired.
func TestPurgeOfAShortSession(t *testing.T) {
	for _, revoked := range []bool{false, true} {
		s := open(t, newPath(t))
		r := liveRecord(1)
		r.SessionTimeout = time.Minute
		require.NoError(t, s.Create(t.Context(), r))
		_, err := s.Consume(t.Context(), r.ID, r.CreatedAt, "")
		require.NoError(t, err)
		end := r.CreatedAt.Add(time.Minute)
		if revoked {
			require.NoError(t, s.Revoke(t.Context(), r.ID, r.CreatedAt))
			end = r.ExpiresAt
		}
		purge(t, s, end, 10, 0)
		purge(t, s, end.Add(time.Millisecond), 10, 1)
	}
}

// The id of a record that was purged can come again, and its link is not used then.
func TestPurgeRemovesTheUse(t *testing.T) {
	s := open(t, newPath(t))
	require.NoError(t, s.Create(t.Context(), usedRecord(1, 0)))
	purge(t, s, time.Now(), 10, 1)
	create(t, s, 1)
	_, err := s.Consume(t.Context(), liveRecord(1).ID, time.Now(), "")
	require.NoError(t, err)
}

// Records in every state, purged at random moments with random limits: what goes is what has ended.
func TestPurgeByEnd(t *testing.T) {
	t.Parallel() // waits for the disk
	s := open(t, newPath(t))
	const span = 100
	at := func() time.Time { return time.UnixMilli(1_800_000_000_000 + rand.Int64N(span)*1000).UTC() }
	there := make(map[string]magiclink.Record)
	change := func(id string) {
		_, _ = s.Consume(t.Context(), id, at(), "by")
		if rand.N(4) == 0 {
			require.NoError(t, s.Revoke(t.Context(), id, at()))
		}
		var err error
		there[id], err = s.Get(t.Context(), id)
		require.NoError(t, err)
	}
	for round := range 60 {
		for i := range 50 {
			r := magiclink.Record{
				ID: fmt.Sprintf("mlk_%d_%d", round, i), ExpiresAt: at(), SessionTimeout: time.Duration(rand.N(span)) * time.Second,
			}
			require.NoError(t, s.Create(t.Context(), r))
			there[r.ID] = r
		}
		for _, id := range slices.Collect(maps.Keys(there))[:40] {
			change(id)
		}
		purgeAndCompare(t, s, there, at(), 1+rand.N(100))
	}
	purgeAndCompare(t, s, there, time.UnixMilli(1_900_000_000_000), 1<<20)
	require.Empty(t, there)
}

// purgeAndCompare purges, removes from the map what is gone, and checks that the right records are.
func purgeAndCompare(t *testing.T, s magiclink.Store, there map[string]magiclink.Record, before time.Time, limit int) {
	t.Helper()
	ended := 0
	for _, r := range there {
		if r.End().Before(before) {
			ended++
		}
	}
	want := min(ended, limit)
	purge(t, s, before, limit, want)
	gone := 0
	for id, r := range there {
		if _, err := s.Get(t.Context(), id); err != nil {
			require.ErrorIs(t, err, magiclink.ErrNotFound)
			require.True(t, r.End().Before(before), "a record was removed that had not ended")
			delete(there, id)
			gone++
		}
	}
	require.Equal(t, want, gone, "as many records are gone as Purge has said")
}

// Each purge finds its records through the index and reads no table from its beginning.
func TestPurgeUsesIndexes(t *testing.T) {
	path := newPath(t)
	open(t, path)
	db := pool(t, path)
	for _, statement := range sqlite.PurgeStatements {
		plan := queryPlan(t, db, statement, 0, 1)
		text := strings.Join(plan, "\n")
		require.Contains(t, text, "SEARCH magiclink_links USING COVERING INDEX magiclink_links_purge_at (purge_at<?)", statement)
		require.NotContains(t, text, "SCAN", statement)
		require.NotContains(t, text, "TEMP B-TREE", statement)
	}
}

// queryPlan returns the steps by which SQLite would run the statement.
func queryPlan(t *testing.T, db *sql.DB, statement string, args ...any) (plan []string) {
	t.Helper()
	rows, err := db.QueryContext(t.Context(), "EXPLAIN QUERY PLAN "+statement, args...)
	require.NoError(t, err)
	defer rows.Close()
	for rows.Next() {
		var id, parent, unused int
		var detail string
		require.NoError(t, rows.Scan(&id, &parent, &unused, &detail))
		plan = append(plan, detail)
	}
	require.NoError(t, rows.Err())
	return plan
}
