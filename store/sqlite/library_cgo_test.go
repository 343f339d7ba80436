//go:build cgo

package sqlite_test

import (
	"database/sql"
	"testing"

	"github.com/mattn/go-sqlite3"
	"github.com/stretchr/testify/require"

	"github.com/magiclink-go/magiclink/store/sqlite"
)

// TestOpenChecksTheVersionOfSQLite passes with every SQLite that the test was built with, also with the tag libsqlite3.
func TestOpenChecksTheVersionOfSQLite(t *testing.T) {
	version, number, _ := sqlite3.Version()
	fault := sqlite.CheckLibrary(version, number)
	path := newPath(t)
	store, err := sqlite.Open(path)
	if fault != nil {
		require.EqualError(t, err, "magiclink/sqlite: open: "+fault.Error())
		require.NoFileExists(t, path, "nothing was touched")
		db, err := sql.Open("sqlite3", path)
		require.NoError(t, err)
		defer db.Close()
		_, err = sqlite.New(db)
		require.EqualError(t, err, "magiclink/sqlite: new: "+fault.Error())
		require.NoFileExists(t, path)
		return
	}
	require.NoError(t, err)
	require.NoError(t, store.Close())
}
