package sqlite

import "fmt"

// withAdvice says what to do about a database that SQLite finds damaged. The usual cause is a restore: SQLite takes a log that was
// left beside the file for the log of whatever file is there.
func withAdvice(err error) error {
	if !isDamaged(err) {
		return err
	}
	return fmt.Errorf("the database is damaged, or the log beside it belongs to another copy: stop every process that has it open, move the database "+
		"away with its files -wal and -shm, and restore it from a backup: %w", err)
}
