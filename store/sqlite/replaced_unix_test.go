//go:build cgo && unix

package sqlite_test

import (
	"context"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// A file that was replaced or removed under an open store is an outage: two processes on two files would each accept one link.
// It ends when the file is back. The store looks at the directory alone once that has been quiet for a while.
func TestReplacedFilesAreAnOutage(t *testing.T) {
	for _, suffix := range []string{"", "-wal", "-shm"} {
		for name, remove := range map[string]func(t *testing.T, path string){
			"removed": func(*testing.T, string) {},
			"replaced": func(t *testing.T, path string) {
				t.Helper()
				content, err := os.ReadFile(path + ".away")
				require.NoError(t, err)
				require.NoError(t, os.WriteFile(path, content, 0o600))
			},
		} {
			for directory, age := range map[string]time.Duration{"": 0, " in a quiet directory": time.Hour} {
				t.Run(name+suffix+directory, func(t *testing.T) {
					path := filepath.Join(t.TempDir(), "links.db")
					s := open(t, path)
					create(t, s, 0)
					then := time.Now().Add(-age)
					require.NoError(t, os.Chtimes(filepath.Dir(path), then, then))
					requirePresent(t, s, 0)
					require.NoError(t, os.Rename(path+suffix, path+suffix+".away"))
					remove(t, path+suffix)

					require.Error(t, s.Create(context.Background(), liveRecord(1)))
					_, err := s.Get(context.Background(), liveRecord(0).ID)
					require.Error(t, err)
					require.Error(t, s.Ping(context.Background()))

					require.NoError(t, os.Rename(path+suffix+".away", path+suffix))
					requirePresent(t, s, 0)
					create(t, s, 2)
				})
			}
		}
	}
}
