//go:build unix

package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strconv"
	"strings"
	"syscall"

	"github.com/magiclink-go/magiclink/internal/trustedfile"
)

// judgeOwner refuses what belongs to another user than root and the user of this process, and what the forbidden bits of
// its mode open to others.
func judgeOwner(path string, info fs.FileInfo, forbidden fs.FileMode, cure string) error {
	stat, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return fmt.Errorf("%s: the owner is unknown", path)
	}
	if user := os.Geteuid(); stat.Uid != 0 && int(stat.Uid) != user {
		owner := strconv.Itoa(user)
		if info.IsDir() { // what was restored with another owner has that owner throughout
			return fmt.Errorf("%s is owned by user %d, who could change it: run magiclink as that user, or, if it was restored with a wrong owner: chown -R %s %s",
				path, stat.Uid, owner, path)
		}
		return fmt.Errorf("%s is owned by user %d, who could change it: run magiclink as that user, "+
			"or chown it to user %s", path, stat.Uid, owner)
	}
	if mode := info.Mode().Perm(); mode&forbidden != 0 {
		return fmt.Errorf("%s has mode %04o, so others can write it: %s", path, mode, cure)
	}
	return nil
}

// adviseOwner says what to do where the user of this process may not read what lies at the path or below it.
func adviseOwner(err error, path string) error {
	if err == nil || !errors.Is(err, fs.ErrPermission) && !strings.HasSuffix(err.Error(), syscall.EACCES.Error()) { // SQLite's own error
		return err
	}
	return fmt.Errorf("%w: run magiclink as the user who owns %s, or, if it was restored with a wrong owner: chown -R %d %s", err, path, os.Geteuid(), path)
}

// lockFile waits for an exclusive lock, which ends with the process at the latest.
func lockFile(path string) (unlock func() error, err error) {
	file, err := trustedfile.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, err
	}
	for {
		err = syscall.Flock(int(file.Fd()), syscall.LOCK_EX)
		if !errors.Is(err, syscall.EINTR) {
			break
		}
	}
	if err != nil {
		file.Close() //nolint:errcheck,gosec // the first error counts
		return nil, err
	}
	return file.Close, nil
}
