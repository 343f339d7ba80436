package crashtest_test

import (
	"fmt"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/magiclink-go/magiclink"
	"github.com/magiclink-go/magiclink/store/memory"
	"github.com/magiclink-go/magiclink/store/sqlite"
)

// subjects are the stores whose histories are checked.
var subjects = map[string]func(t *testing.T) []magiclink.Store{
	"memory": func(*testing.T) []magiclink.Store { return []magiclink.Store{memory.New()} },
	"sqlite": func(t *testing.T) []magiclink.Store {
		return []magiclink.Store{openSQLite(t, filepath.Join(t.TempDir(), "links.db"))}
	},
	"sqlite, a commit for each write": func(t *testing.T) []magiclink.Store {
		return []magiclink.Store{&unbatched{Store: openSQLite(t, filepath.Join(t.TempDir(), "links.db"))}}
	},
	"two sqlite stores on one file": func(t *testing.T) []magiclink.Store {
		path := filepath.Join(t.TempDir(), "links.db")
		return []magiclink.Store{openSQLite(t, path), openSQLite(t, path)}
	},
	"two processes on one file": func(t *testing.T) []magiclink.Store {
		path := filepath.Join(t.TempDir(), "links.db")
		return []magiclink.Store{openSQLite(t, path), startStore(t, path)}
	},
}

func openSQLite(t *testing.T, path string) magiclink.Store {
	t.Helper()
	store, err := sqlite.Open(path)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, store.Close()) })
	return store
}

func TestLinearizable(t *testing.T) {
	histories := 60
	if testing.Short() {
		histories = 10
	}
	for name, open := range subjects {
		t.Run(name, func(t *testing.T) {
			stores := open(t)
			calls, unknown, failed := 0, 0, 0
			for n := range histories {
				callers := []int{1, 8, 8, 16}[n%4]
				h := record(stores, fmt.Sprint(n, "-"), callers, n%3 == 0)
				if fault := h.check(); fault != "" {
					t.Fatalf("%s: %d callers:\n%s", fault, callers, h.describe())
				}
				calls, unknown, failed = calls+len(h.history), unknown+h.unknown, failed+h.refused
			}
			t.Logf("%d histories, %d calls, %d of them with an unknown outcome; %d others failed", histories, calls, unknown, failed)
		})
	}
}

// TestLinearizableFindsFlaws is the control: the same check finds stores that are broken on purpose.
func TestLinearizableFindsFlaws(t *testing.T) {
	const histories = 200
	for _, flaw := range []string{"unlocked", "liar", "partial", "early"} {
		t.Run(flaw, func(t *testing.T) {
			for n := range histories {
				stores := []magiclink.Store{flawed(memory.New(), flaw)}
				if h := record(stores, fmt.Sprint(n, "-"), 8, false); h.check() != "" {
					t.Logf("found by history %d", n+1)
					return
				}
			}
			t.Fatalf("%d histories have not shown it", histories)
		})
	}
}
