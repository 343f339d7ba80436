package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"sync"

	"github.com/magiclink-go/magiclink"
)

// ErrClosed is what every call returns after [Store.Close].
var ErrClosed = errors.New("the store is closed")

// Store is a [magiclink.Store] on a SQLite database. All its methods may be called from any number of goroutines, and
// any number of Stores, in one process or in several, may share one database.
// The zero Store is not usable; [Open] and [New] make one.
type Store struct {
	db     *sql.DB
	owned  bool // Open made db, so Close closes it
	gate   gate
	guard  *guard
	commit *committer

	closing  sync.Once
	closeErr error
}

var _ magiclink.Store = (*Store)(nil)

func newStore(db *sql.DB, file string, owned bool) *Store {
	g := newGuard(file)
	return &Store{db: db, owned: owned, guard: g, commit: &committer{writer: &writer{db: db, guard: g}}}
}

// Close waits for the calls that are running and frees the connections; a database that was given to [New] stays open.
// Calls that begin later return [ErrClosed]. Closing again does nothing and returns what the first Close returned.
//
// A database that has become read-only cannot be closed, since SQLite writes then. Close returns an error and leaves it to
// the end of the process; nothing that was acknowledged is lost.
func (s *Store) Close() error {
	s.closing.Do(func() {
		s.gate.close()
		s.commit.leaders.Wait() // a caller may have gone while its operation was running
		if err := s.guard.closable(); err != nil {
			s.closeErr = fmt.Errorf("magiclink/sqlite: close: %w", err)
			return
		}
		s.commit.writer.discard()
		if !s.owned {
			return
		}
		if err := s.db.Close(); err != nil {
			s.closeErr = fmt.Errorf("magiclink/sqlite: close: %w", err)
		}
	})
	return s.closeErr
}

// Ping reports whether the store can work: it takes the lock for writing, as every write does, reads the version of
// the schema and changes nothing. It suits a readiness check. It cannot tell that the disk is full.
func (s *Store) Ping(ctx context.Context) error {
	return s.write(ctx, "ping", func(s *session) (verdict, failure error) {
		version, err := s.version.number()
		if err != nil {
			return nil, err
		}
		return nil, checkVersion(version)
	})
}

// write carries out one operation through the committer, under the name that its errors get.
func (s *Store) write(ctx context.Context, name string, run operation) error {
	err := s.gate.enter(ctx)
	if err != nil {
		return fmt.Errorf("magiclink/sqlite: %s: %w", name, err)
	}
	defer s.gate.leave()
	verdict, err := s.commit.do(ctx, run)
	if err != nil {
		return fmt.Errorf("magiclink/sqlite: %s: %w", name, err)
	}
	return verdict
}
