//go:build cgo

package sqlite

import (
	"errors"
	"strings"
	"syscall"

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

// isDamaged reports whether SQLite has met pages that cannot be right.
func isDamaged(err error) bool {
	failure, ok := errors.AsType[sqlite3.Error](err)
	return ok && failure.Code == sqlite3.ErrCorrupt
}

// isUnopened reports whether SQLite could not open the database, or could not make a file beside it.
func isUnopened(err error) bool {
	failure, ok := errors.AsType[sqlite3.Error](err)
	return ok && failure.Code == sqlite3.ErrCantOpen
}

// lacksDescriptors reports whether a file could not be opened because the process, or the machine, has too many open.
func lacksDescriptors(err error) bool {
	failure, ok := errors.AsType[sqlite3.Error](err)
	return ok && failure.Code == sqlite3.ErrCantOpen && (failure.SystemErrno == syscall.EMFILE || failure.SystemErrno == syscall.ENFILE)
}

// isNested reports whether BEGIN has failed because a transaction is open.
func isNested(err error) bool {
	failure, ok := errors.AsType[sqlite3.Error](err)
	return ok && failure.Code == sqlite3.ErrError && strings.Contains(failure.Error(), "within a transaction")
}

// isTaken reports whether a row with this primary key exists.
func isTaken(err error) bool {
	failure, ok := errors.AsType[sqlite3.Error](err)
	return ok && failure.ExtendedCode == sqlite3.ErrConstraintPrimaryKey
}
