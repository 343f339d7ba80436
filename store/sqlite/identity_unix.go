//go:build unix

package sqlite

import (
	"fmt"
	"maps"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"
)

// identities notice that a file of the database was replaced or removed while it was open. SQLite goes on with the file that
// it has open: what it writes then is in no directory any more, and two processes with two files would each accept one link.
type identities struct {
	directory string
	settled   atomic.Pointer[directory] // as it was when the files were last compared; nil if they have to be compared

	mu    sync.RWMutex
	files map[string]fileID // by path; replaced as a whole, never changed
}

// directory is the state of a directory. To replace or remove one of its files changes it.
type directory struct {
	id      fileID
	changed int64 // Unix nanoseconds
}

// coarse is longer than one step of the clock that file systems take their times from. A directory that has changed within one step can
// change again and keep its time.
const coarse = 50 * time.Millisecond

func newIdentities(path string) *identities {
	k := &identities{directory: filepath.Dir(path)}
	k.learn(path)
	return k
}

// learn remembers which files are at these paths. A path without a file is forgotten.
func (k *identities) learn(paths ...string) {
	k.change(func(files map[string]fileID) {
		for _, path := range paths {
			if id, err := identify(path); err == nil {
				files[path] = id
			} else {
				delete(files, path)
			}
		}
	})
}

func (k *identities) forget(paths ...string) {
	k.change(func(files map[string]fileID) {
		for _, path := range paths {
			delete(files, path)
		}
	})
}

func (k *identities) change(change func(map[string]fileID)) {
	k.mu.Lock()
	defer k.mu.Unlock()
	files := maps.Clone(k.files)
	if files == nil {
		files = map[string]fileID{}
	}
	change(files)
	k.files = files
	k.settled.Store(nil)
}

// unchanged compares the files, unless their directory is as it was when they were last compared: one system call in place of three.
func (k *identities) unchanged() error {
	began := time.Now().UnixNano()
	now, err := lookAtDirectory(k.directory)
	if err != nil {
		return k.compare()
	}
	if settled := k.settled.Load(); settled != nil && *settled == now {
		return nil
	}
	if err := k.compare(); err != nil {
		return err
	}
	if began-now.changed > int64(coarse) {
		k.settled.Store(&now)
	}
	return nil
}

// compare returns an error if another file, or none, is at one of the paths. It is nil again when the file is back.
func (k *identities) compare() error {
	k.mu.RLock()
	files := k.files
	k.mu.RUnlock()
	for path, known := range files {
		found, err := identify(path)
		if err != nil {
			return fmt.Errorf("a file of the database was removed while it was open: stop every process that has it open, "+
				"and put back the database with all its files: %w", err)
		}
		if found != known {
			return fmt.Errorf("%s was replaced while it was open: stop every process that has the database open, put the file that counts "+
				"there with its own -wal and -shm, or without them if it is a backup, and start the processes again", path)
		}
	}
	return nil
}
