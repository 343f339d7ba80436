//go:build !cgo

package sqlite_test

import (
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/magiclink-go/magiclink/store/sqlite"
)

func TestWithoutCgo(t *testing.T) {
	const reason = "needs cgo: build with CGO_ENABLED=1 and a C compiler"
	path := filepath.Join(t.TempDir(), "links.db")
	_, err := sqlite.Open(path)
	require.EqualError(t, err, "magiclink/sqlite: open: "+reason)
	require.NoFileExists(t, path)
	_, err = sqlite.New(nil)
	require.EqualError(t, err, "magiclink/sqlite: new: "+reason)
}
