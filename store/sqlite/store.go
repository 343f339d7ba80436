package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"sync"

	"github.com/magiclink-go/magiclink"
)

// ErrClosed says that the call began after [Store.Close].
var ErrClosed = errors.New("the store is closed")

var errNoStore = errors.New("the Store is not initialized: use Open or New")

// Store is a [magiclink.Store] on a SQLite database. All its methods may be called from any number of goroutines, and
// any number of Stores, in one process or in several, may share one database.
// The zero Store returns an error from every method; use [Open] or [New]. A Store that nobody closes keeps its connections
// open; it has no goroutine while no call is running.
type Store struct {
	db     *sql.DB
	file   string // the path of the database
	owned  bool   // Open has opened db, so Close closes it
	gate   gate
	guard  *guard
	commit *committer

	closing  sync.Once
	closeErr error
}

var _ magiclink.Store = (*Store)(nil)

func newStore(db *sql.DB, file string, owned bool) *Store {
	g := newGuard(file)
	return &Store{db: db, file: file, owned: owned, guard: g, commit: &committer{writer: &writer{db: db, guard: g}}}
}

// Close waits for the calls that are running and closes the connections. A pool that was passed to [New] stays open. Calls that
// begin later return [ErrClosed]. A second Close does nothing and returns the error of the first.
//
// A database that has become read-only cannot be closed, because SQLite writes when it closes a database. Close returns an
// error then and leaves the database open until the process ends. Nothing that was acknowledged is lost.
func (s *Store) Close() error {
	if err := s.check(); err != nil {
		return fmt.Errorf("magiclink/sqlite: close: %w", err)
	}
	s.closing.Do(func() {
		s.gate.close()
		s.commit.running.Wait() // a caller may have left while its operation was running
		if err := s.guard.closable(); err != nil {
			s.closeErr = fmt.Errorf("magiclink/sqlite: close: %w", err)
			return
		}
		s.commit.writer.close()
		if !s.owned {
			return
		}
		if err := s.db.Close(); err != nil {
			s.closeErr = fmt.Errorf("magiclink/sqlite: close: %w", err)
		}
	})
	return s.closeErr
}

// Ping reports whether the store can work. It takes the lock for writing, as every write does, and reads the version of the
// schema. If the last write has failed, for example because the disk is full, Ping creates a record and removes it again in one
// transaction, and so fails until the disk takes what a Create writes. It leaves all records as they are. It suits a readiness
// check.
func (s *Store) Ping(ctx context.Context) error {
	return s.write(ctx, "ping", func(on *statements) (verdict, failure error) {
		if failure := on.checkVersion(); failure != nil || !s.commit.failing.Load() {
			return nil, failure
		}
		return nil, on.probe()
	})
}

// probe makes the transaction change the pages that a Create changes. One that changed less could succeed on a disk that has
// room for no record.
func (s *statements) probe() error {
	const id = "probe"
	if _, err := s.insert.run(id, "", "", "", "", "", int64(0), []byte{}, int64(0), int64(0), nil, int64(0)); err != nil {
		return err
	}
	_, err := s.removeProbe.run(id)
	return err
}

// write carries out one operation through the committer. Its errors begin with the name of the operation.
func (s *Store) write(ctx context.Context, name string, run operation) error {
	verdict, err := s.attempt(ctx, run)
	if err != nil {
		return fmt.Errorf("magiclink/sqlite: %s: %w", name, withAdvice(err))
	}
	return verdict
}

func (s *Store) attempt(ctx context.Context, run operation) (verdict, failure error) {
	if err := s.check(); err != nil {
		return nil, err
	}
	from, err := look(ctx)
	if err != nil {
		return nil, err
	}
	hasLeft, verdict, failure := s.commitOne(from, run)
	switch {
	case !hasLeft:
		return verdict, failure
	case failure != nil:
		return nil, fmt.Errorf("%w: %w", failure, cause(ctx))
	default:
		return nil, cause(ctx)
	}
}

func (s *Store) commitOne(from caller, run operation) (hasLeft bool, verdict, failure error) {
	if err := s.gate.enter(); err != nil {
		return false, nil, err
	}
	defer s.gate.leave()
	return s.commit.do(from, run)
}

// check answers the calls of a Store that neither Open nor New has made.
func (s *Store) check() error {
	if s == nil || s.db == nil {
		return errNoStore
	}
	return nil
}
