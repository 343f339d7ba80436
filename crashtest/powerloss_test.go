package crashtest_test

import (
	"net/http"
	"os"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
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
				r, err := http.NewRequest(http.MethodGet, s.origin+"/readyz", nil)
				require.NoError(t, err)
				require.Equal(t, http.StatusOK, send(r, time.Now()).status)
			}
			if test.fails {
				d.fail("sync-eio")
				requireAll(t, http.StatusServiceUnavailable, b.redeem(s, doubtful))
			}
			if test.kills {
				s.kill()
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
			s.kill()

			require.NoError(t, os.Rename(s.database()+"-wal.disk", s.database()+"-wal"))
			require.NoError(t, os.Remove(s.database()+"-shm"))
			s = serve(t, data, d.under)
			b.settle(t, s, doubtful)
		})
	}
}
