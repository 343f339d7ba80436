package sqlite

import "fmt"

// withAdvice says what to do about errors of SQLite that say too little.
func withAdvice(err error) error {
	switch {
	case isDamaged(err): // mostly after a restore: SQLite takes a log that was left beside the file for the log of whatever file is there
		return fmt.Errorf("the database is damaged, or the log beside it belongs to another copy: stop every process that has it open, move the database "+
			"away with its files -wal and -shm, and restore it from a backup: %w", err)
	case lacksDescriptors(err):
		return fmt.Errorf("the process may not open as many files as it needs: raise the limit with ulimit -n, or LimitNOFILE of systemd: %w", err)
	case isUnopened(err): // also on a file system that is read-only, where SQLite says that there is no such file
		return fmt.Errorf("the database cannot be opened for writing, or its files -wal and -shm cannot be made: let the user of this process write the file "+
			"and its directory: %w", err)
	}
	return err
}
