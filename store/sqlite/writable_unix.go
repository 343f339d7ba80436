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

// guard refuses a database that has become read-only while it was open: its file system, a file by an attribute, or a file
// by its mode. SQLite keeps the index of its log in memory that is mapped from the file "-shm", also for reading. Writing to
// such a mapping of a read-only file is no error that could be returned but a signal that ends the process.
//
// It cannot see what happens between a look and the use. A commit takes about as long as the pause between two looks, so
// that looking before each of them would not see much more.
type guard struct {
	files []string // all of the database
	index string   // the one that is mapped
	all   pace     // of the looks at all files
	one   pace     // of those at the index alone
}

func newGuard(path string) *guard {
	index := path + "-shm"
	return &guard{
		files: []string{path, path + "-wal", index},
		index: index,
		// Looking at a mode is dear: it makes the next write of a file note its time anew, and the sync write that down.
		all: pace{pause: 50 * time.Millisecond},
		one: pace{pause: time.Millisecond},
	}
}

// writable is for those who write. What happens to the other files SQLite reports itself, with less to go by.
func (g *guard) writable() error {
	now := time.Now()
	if err := g.all.look(now, g.closable); err != nil {
		return err
	}
	return g.one.look(now, g.indexed)
}

// closable looks at everything, since closing the last connection writes, too.
func (g *guard) closable() (err error) {
	for _, file := range g.files {
		err = errors.Join(err, mode(file), access(file))
	}
	return err
}

// mapped is for those who only read.
func (g *guard) mapped() error { return g.one.look(time.Now(), g.indexed) }

func (g *guard) indexed() error { return access(g.index) }

// pace keeps looks apart that find nothing.
type pace struct {
	pause time.Duration
	last  atomic.Int64 // in Unix nanoseconds
}

func (p *pace) look(now time.Time, check func() error) error {
	if now.UnixNano()-p.last.Load() < int64(p.pause) {
		return nil
	}
	err := check()
	if err == nil {
		p.last.Store(now.UnixNano())
	}
	return err
}

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
