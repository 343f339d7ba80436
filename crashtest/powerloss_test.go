package crashtest_test

import (
	"database/sql"
	"net/http"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/magiclink-go/magiclink"
)

// TestPowerLoss takes away what was not synced. In most cases a sync has failed before, as Linux reports it: once, and with
// the pages counted as clean from then on. What was acknowledged afterwards has to survive all the same.
func TestPowerLoss(t *testing.T) {
	for _, test := range []struct {
		name                string
		fails, reads, kills bool
	}{
		{name: "healthy disk"},
		{name: "killed", kills: true},
		{name: "after a failed sync", fails: true},
		{name: "after a failed sync beside a reader", fails: true, reads: true},
		{name: "after a failed sync and a kill", fails: true, reads: true, kills: true},
	} {
		t.Run(test.name, func(t *testing.T) {
			d, data, b := newDisk(t), t.TempDir(), newBook()
			s := serve(t, data, d.under)
			requireAll(t, http.StatusCreated, b.issue(t, s, 1))
			doubtful := b.ids(1)
			if test.reads { // a second connection, which stays in the pool: SQLite's index of the log outlives the first
				require.Equal(t, http.StatusOK, s.Send(http.MethodGet, "/readyz", "").Status)
			}
			if test.fails {
				d.fail("sync-eio")
				requireAll(t, http.StatusServiceUnavailable, b.redeem(s, doubtful))
			}
			if test.kills {
				s.Kill()
			}
			if test.fails {
				d.heal("sync-eio")
			}
			if test.kills {
				s = serve(t, data, d.under)
			}
			for range 4 {
				requireAll(t, http.StatusCreated, b.issue(t, s, 1))
			}
			for _, id := range b.ids(5)[:2] {
				b.redeem(s, []string{id})
			}
			s.Kill()

			require.NoError(t, os.Rename(s.database()+"-wal.disk", s.database()+"-wal"))
			require.NoError(t, os.Remove(s.database()+"-shm"))
			s = serve(t, data, d.under)
			b.settle(t, s, doubtful)
		})
	}
}

// TestPowerLossBesideAReaderThatStays is the same for a store beside which another process reads all the time, so that no
// checkpoint can empty the log. The store writes again at once, and loses nothing of it.
func TestPowerLossBesideAReaderThatStays(t *testing.T) {
	for _, reads := range []bool{false, true} {
		d, path := newDisk(t), filepath.Join(t.TempDir(), "links.db")
		cmd := d.under(child(t, "store", path))
		store := startStoreBy(t, cmd)
		create := func(id string) error {
			return store.Create(t.Context(), magiclink.Record{ID: id, CreatedAt: time.UnixMilli(old), ExpiresAt: time.UnixMilli(far)})
		}
		require.NoError(t, create("mlk_before"))
		if reads {
			read(t, path)
		}
		d.fail("sync-eio")
		require.ErrorIs(t, create("mlk_doubtful"), magiclink.ErrUnknownOutcome)
		d.heal("sync-eio")
		acknowledged := []string{"mlk_before", "mlk_after", "mlk_later"}
		for _, id := range acknowledged[1:] {
			require.NoError(t, create(id))
		}

		lost := filepath.Join(t.TempDir(), "links.db") // what a loss of power would leave
		for _, copied := range [][2]string{{path, lost}, {path + "-wal.disk", lost + "-wal"}} {
			content, err := os.ReadFile(copied[0])
			require.NoError(t, err)
			require.NoError(t, os.WriteFile(copied[1], content, 0o600))
		}
		for _, id := range acknowledged {
			_, err := openSQLite(t, lost).Get(t.Context(), id)
			require.NoError(t, err, id)
		}
	}
}

// read begins to read a database, and does not end before the test.
func read(t *testing.T, path string) {
	t.Helper()
	db, err := sql.Open("sqlite3", path)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, db.Close()) })
	tx, err := db.Begin()
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, tx.Rollback()) })
	var records int
	require.NoError(t, tx.QueryRow("SELECT count(*) FROM magiclink_links").Scan(&records))
}
