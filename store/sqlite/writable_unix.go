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

// guard refuses a database that has become read-only while it was open: by its file system, or by an attribute or the mode of
// a file. SQLite keeps the index of its log in memory that is mapped from the file "-shm", and writes to the index also when
// it only reads. A write to such memory of a read-only file returns no error: a signal ends the process.
//
// A change between a look and the write stays unnoticed. A commit takes about as long as the pause between two looks, so a
// look before each commit would notice little more.
type guard struct {
	files []string // all of the database
	index string   // the file that is mapped
	all   pace     // of the looks at all files
	one   pace     // of the looks at the index alone
	known *identities
}

func newGuard(path string) *guard {
	index := path + "-shm"
	g := &guard{
		files: []string{path, path + "-wal", index},
		index: index,
		// A look at a mode costs much: the next write of the file then updates its time, and the next sync writes the time.
		all:   pace{pause: 50 * time.Millisecond},
		one:   pace{pause: time.Millisecond},
		known: newIdentities(path),
	}
	return g
}

// writable is called before a write. It looks at the index more often than at the other files, for which SQLite itself returns
// an error.
func (g *guard) writable() error {
	if err := g.known.unchanged(); err != nil {
		return err
	}
	now := time.Now()
	if err := g.all.look(now, g.whole); err != nil {
		return err
	}
	return g.one.look(now, g.indexed)
}

// whole compares the files one by one, too: a file system that is mounted over a file changes no directory.
func (g *guard) whole() error { return errors.Join(g.known.compare(), g.closable()) }

// closable looks at all files, because closing the last connection writes, too.
func (g *guard) closable() (err error) {
	for _, file := range g.files {
		err = errors.Join(err, mode(file), access(file))
	}
	return err
}

// mapped is called before a read.
func (g *guard) mapped() error {
	if err := g.known.unchanged(); err != nil {
		return err
	}
	return g.one.look(time.Now(), g.indexed)
}

// opened is called when the connection that writes is open: while it is, nobody removes or replaces the log and its index
// but an intruder. closed is called before that connection is closed.
func (g *guard) opened() { g.known.learn(g.files[1:]...) }

func (g *guard) closed() { g.known.forget(g.files[1:]...) }

func (g *guard) indexed() error { return access(g.index) }

// pace keeps a pause between looks that find nothing wrong.
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
		return fmt.Errorf("the database is read-only: make its files and its file system writable: %w", err)
	}
	return nil // SQLite makes a file that does not exist, or says why it cannot
}

// mode notices a mode that lets nobody write. access does not notice it for root, which may write every file.
func mode(path string) error {
	info, err := os.Stat(path)
	if err == nil && info.Mode().Perm()&0o222 == 0 {
		return fmt.Errorf("the database is read-only: make its files writable: %w", syscall.EACCES)
	}
	return nil
}
