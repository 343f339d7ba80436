//go:build cgo

package sqlite

import (
	"errors"

	"github.com/mattn/go-sqlite3" // also the driver "sqlite3"
)

// checkDriver returns an error if no store must be opened with the SQLite that the program was built with.
func checkDriver() error {
	version, number, _ := sqlite3.Version()
	return checkLibrary(version, number)
}

// isLocked reports whether another connection holds a lock that was needed.
func isLocked(err error) bool {
	failure, ok := errors.AsType[sqlite3.Error](err)
	return ok && (failure.Code == sqlite3.ErrBusy || failure.Code == sqlite3.ErrLocked)
}

// isTaken reports whether a row with this primary key exists.
func isTaken(err error) bool {
	failure, ok := errors.AsType[sqlite3.Error](err)
	return ok && failure.ExtendedCode == sqlite3.ErrConstraintPrimaryKey
}
