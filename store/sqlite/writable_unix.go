//go:build unix

package sqlite

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"syscall"
)

// checkWritable refuses a database that has become read-only while it was open: its file system, a file by an attribute,
// or a file by its mode. SQLite keeps the index of its log in memory that is mapped from the file "-shm", also for reading.
// Writing to such a mapping of a read-only file is no error that could be returned but a signal that ends the process.
//
// The check costs a few microseconds. It cannot see what happens between itself and the use.
func checkWritable(path string) error {
	return errors.Join(writable(path), writable(path+"-wal"), writable(path+"-shm"))
}

// checkMapping is checkWritable for those who only read.
func checkMapping(path string) error { return writable(path + "-shm") }

func writable(path string) error {
	info, err := os.Stat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil // SQLite makes it, or says why it cannot
	}
	if err == nil && info.Mode().Perm()&0o222 == 0 {
		err = syscall.EACCES // root could write, but somebody has asked that nobody does
	}
	if err == nil {
		const writing = 2 // W_OK
		err = syscall.Access(path, writing)
	}
	if err != nil {
		return fmt.Errorf("the database is read-only: %w", err)
	}
	return nil
}
