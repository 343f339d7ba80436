//go:build unix

package sqlite

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"sync/atomic"
	"syscall"
	"time"
)

// modeInterval is how often the modes of the files are looked at. Looking is dear: it makes the next write of a file note
// its time anew, and the sync write that down.
const modeInterval = 50 * time.Millisecond

// guard refuses a database that has become read-only while it was open: its file system, a file by an attribute, or a file
// by its mode. SQLite keeps the index of its log in memory that is mapped from the file "-shm", also for reading. Writing to
// such a mapping of a read-only file is no error that could be returned but a signal that ends the process.
//
// A check costs a few microseconds. It cannot see what happens between itself and the use.
type guard struct {
	path   string
	looked atomic.Int64 // when the modes were looked at, in Unix nanoseconds
}

// writable is for those who write.
func (g *guard) writable() error {
	if now := time.Now().UnixNano(); now-g.looked.Load() >= int64(modeInterval) {
		if err := g.closable(); err != nil {
			return err // and look again the next time
		}
		g.looked.Store(now)
		return nil
	}
	return errors.Join(access(g.path), access(g.path+"-wal"), access(g.path+"-shm"))
}

// closable looks at everything, since closing the last connection writes, too.
func (g *guard) closable() error {
	return errors.Join(mode(g.path), mode(g.path+"-wal"), mode(g.path+"-shm"),
		access(g.path), access(g.path+"-wal"), access(g.path+"-shm"))
}

// mapped is for those who only read.
func (g *guard) mapped() error { return access(g.path + "-shm") }

func access(path string) error {
	const writing = 2 // W_OK
	if err := syscall.Access(path, writing); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("the database is read-only: %w", err)
	}
	return nil // of a file that is not there SQLite makes one, or says why it cannot
}

// mode finds what access does not tell root, who may write all: that somebody has asked that nobody does.
func mode(path string) error {
	info, err := os.Stat(path)
	if err == nil && info.Mode().Perm()&0o222 == 0 {
		return fmt.Errorf("the database is read-only: %w", syscall.EACCES)
	}
	return nil
}
