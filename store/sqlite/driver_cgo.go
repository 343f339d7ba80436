//go:build cgo

package sqlite

import (
	"errors"

	"github.com/mattn/go-sqlite3" // also the driver "sqlite3"
)

// errNoDriver is nil: the package was built with the driver.
var errNoDriver error

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
