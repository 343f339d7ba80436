//go:build unix

package main

import (
	"os"
	"syscall"
)

// lockFile waits for an exclusive lock, which ends with the process at the latest.
func lockFile(path string) (unlock func() error, err error) {
	file, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600) //nolint:gosec // G304: the path is the operator's own
	if err != nil {
		return nil, err
	}
	if err := syscall.Flock(int(file.Fd()), syscall.LOCK_EX); err != nil {
		file.Close() //nolint:errcheck,gosec // the first error is the one that counts
		return nil, err
	}
	return file.Close, nil
}
