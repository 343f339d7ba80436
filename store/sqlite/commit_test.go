//go:build cgo

package sqlite_test

import (
	"context"
	"database/sql"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/mattn/go-sqlite3"
	"github.com/stretchr/testify/require"

	"github.com/magiclink-go/magiclink"
	"github.com/magiclink-go/magiclink/store/sqlite"
)

// stage is a database whose insertions of certain records wait for the test, and whose commits fail at its will.
type stage struct {
	*sqlite.Store
	t          *testing.T
	entered    chan struct{} // receives when a held insertion has begun
	release    chan struct{} // lets it go on
	failCommit *atomic.Bool
	breakAt    atomic.Value // what a connection is about to do when it breaks, for ever: "BEGIN", "COMMIT" or "READ"

	mu    sync.Mutex
	conns []*sqlite3.SQLiteConn
}

// The driver's registry is global, so that all stages share these.
var (
	registerOnce sync.Once
	stages       sync.Map // path of the database → stage
)

func newStage(t *testing.T) *stage {
	t.Helper()
	s := &stage{t: t, entered: make(chan struct{}), release: make(chan struct{}), failCommit: new(atomic.Bool)}
	path := newPath(t)
	stages.Store(path, s)
	registerOnce.Do(func() { sql.Register("sqlite3_stage", &sqlite3.SQLiteDriver{ConnectHook: connectStage}) })
	db, err := sql.Open("sqlite3_stage", path)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, db.Close()) })
	s.Store, err = sqlite.New(db)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, s.Close()) })
	_, err = db.ExecContext(t.Context(), `CREATE TRIGGER held BEFORE INSERT ON magiclink_links WHEN NEW.email = 'held'
		BEGIN SELECT hold(); END`)
	require.NoError(t, err)
	return s
}

func connectStage(conn *sqlite3.SQLiteConn) error {
	found, _ := stages.Load(conn.GetFilename("main"))
	s := found.(*stage)
	conn.RegisterCommitHook(func() int {
		if s.failCommit.Load() {
			return 1
		}
		return 0
	})
	s.mu.Lock()
	s.conns = append(s.conns, conn)
	s.mu.Unlock()
	s.authorize(conn)
	return conn.RegisterFunc("hold", func() int {
		s.entered <- struct{}{}
		<-s.release
		return 0
	}, false)
}

// authorize lets a connection break. SQLite asks when it prepares a statement.
func (s *stage) authorize(conn *sqlite3.SQLiteConn) {
	broken := false
	conn.RegisterAuthorizer(func(operation int, name, _, _ string) int {
		if operation == sqlite3.SQLITE_READ {
			name = "READ"
		}
		broken = broken || s.breakAt.CompareAndSwap(name, "it is broken")
		if broken && name != "ROLLBACK" {
			return sqlite3.SQLITE_DENY
		}
		return sqlite3.SQLITE_OK
	})
}

// breakWhen breaks the next connection that does this. All are at rest. A new authorizer makes SQLite prepare their
// statements anew.
func (s *stage) breakWhen(at string) {
	s.breakAt.Store(at)
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, conn := range s.conns {
		if conn.GetFilename("main") != "" { // it is open
			s.authorize(conn)
		}
	}
}

// start begins a Create in a goroutine and returns where its error will be.
func (s *stage) start(ctx context.Context, number int, email string) <-chan error {
	result := make(chan error, 1)
	record := liveRecord(number)
	record.Email = email
	go func() { result <- s.Create(ctx, record) }()
	return result
}

// startHurried returns when a Create is held that has little time, and where its error will be.
func (s *stage) startHurried(number int) <-chan error {
	s.t.Helper()
	ctx, cancel := context.WithTimeout(s.t.Context(), 20*time.Millisecond)
	s.t.Cleanup(cancel)
	result := s.start(ctx, number, "held")
	<-s.entered
	return result
}

// beginClosing returns when Close waits for what is running, and where its error will be.
func (s *stage) beginClosing() <-chan error {
	s.t.Helper()
	closed := make(chan error, 1)
	go func() { closed <- s.Close() }()
	require.Eventually(s.t, s.Closed, 30*time.Second, time.Millisecond)
	require.Empty(s.t, closed, "Close returned while a write was running")
	return closed
}

// awaitWaiting returns when so many calls wait for a commit.
func (s *stage) awaitWaiting(n int) {
	s.t.Helper()
	require.Eventually(s.t, func() bool { return s.Waiting() == n }, 30*time.Second, time.Millisecond)
}

// A caller that leaves while another one commits for it does not know the outcome, and does not wait for it.
func TestContextEndsInSomebodyElsesBatch(t *testing.T) {
	s := newStage(t)
	ctx, cancel := context.WithCancel(t.Context())
	first := s.start(t.Context(), 1, "held")
	<-s.entered
	leader := s.start(t.Context(), 2, "")
	s.awaitWaiting(1)
	leaving := s.start(ctx, 3, "held")
	s.awaitWaiting(2)
	last := s.start(t.Context(), 4, "")
	s.awaitWaiting(3)

	s.release <- struct{}{}
	require.NoError(t, <-first)
	<-s.entered // of the third, in the batch of the second
	cancel()
	err := <-leaving // while its statement is held
	require.ErrorIs(t, err, magiclink.ErrUnknownOutcome)
	require.ErrorIs(t, err, context.Canceled)

	s.release <- struct{}{}
	require.NoError(t, <-leader)
	require.NoError(t, <-last)
	requirePresent(t, s, 3) // as it happens
}

// A caller that leaves before its operation was run knows that nothing was written, even if it is in the batch.
func TestContextEndsBeforeTheOperation(t *testing.T) {
	s := newStage(t)
	ctx, cancel := context.WithCancel(t.Context())
	first := s.start(t.Context(), 1, "held")
	<-s.entered
	leader := s.start(t.Context(), 2, "held")
	s.awaitWaiting(1)
	leaving := s.start(ctx, 3, "")
	s.awaitWaiting(2)

	s.release <- struct{}{}
	require.NoError(t, <-first)
	<-s.entered // of the second, whose batch holds the third
	cancel()
	err := <-leaving
	require.ErrorIs(t, err, context.Canceled)
	require.NotErrorIs(t, err, magiclink.ErrUnknownOutcome)

	s.release <- struct{}{}
	require.NoError(t, <-leader)
	create(t, s, 4)
	requireAbsent(t, s, 3)
}

// A caller with a deadline returns at it even if it is the one that began the write. Close waits for what goes on.
func TestDeadlineOfTheFirstCaller(t *testing.T) {
	s := newStage(t)
	first := s.startHurried(1)
	waiting := s.start(t.Context(), 2, "")
	s.awaitWaiting(1)
	err := <-first // while its statement is held
	require.ErrorIs(t, err, magiclink.ErrUnknownOutcome)
	require.ErrorIs(t, err, context.DeadlineExceeded)

	s.release <- struct{}{}
	require.NoError(t, <-waiting)
	requirePresent(t, s, 1) // as it happens
}

func TestCloseWaitsForAWriteWhoseCallerHasGone(t *testing.T) {
	s := newStage(t)
	first := s.startHurried(1)
	require.ErrorIs(t, <-first, magiclink.ErrUnknownOutcome)
	closed := s.beginClosing()
	s.release <- struct{}{}
	require.NoError(t, <-closed)
	require.False(t, s.Writing(), "the goroutine has ended")
}

func TestCloseWaitsForRunningWrites(t *testing.T) {
	s := newStage(t)
	running := s.start(t.Context(), 1, "held")
	<-s.entered
	waiting := s.start(t.Context(), 2, "")
	s.awaitWaiting(1)
	closed := s.beginClosing()
	s.release <- struct{}{}
	require.NoError(t, <-running)
	require.NoError(t, <-waiting)
	require.NoError(t, <-closed)
}

// A commit that fails leaves the outcome of every call in its batch unknown, also of a call that had a verdict: the verdict rests
// on writes that may be gone.
func TestCommitFails(t *testing.T) {
	s := newStage(t)
	first := s.start(t.Context(), 1, "held")
	<-s.entered
	leader := s.start(t.Context(), 2, "")
	s.awaitWaiting(1)
	twice := s.start(t.Context(), 2, "")
	s.awaitWaiting(2)
	held := s.start(t.Context(), 3, "held")
	s.awaitWaiting(3)
	s.release <- struct{}{}
	<-s.entered
	require.NoError(t, <-first)
	s.failCommit.Store(true)
	s.release <- struct{}{}
	for _, result := range []<-chan error{leader, twice, held} {
		err := <-result
		require.ErrorIs(t, err, magiclink.ErrUnknownOutcome)
		require.NotErrorIs(t, err, magiclink.ErrExists)
	}

	s.failCommit.Store(false)
	create(t, s, 2)
}

// A connection that has failed is not used again: what ails it may last.
func TestBrokenConnectionIsReplaced(t *testing.T) {
	for _, at := range []string{"BEGIN", "COMMIT"} {
		t.Run(at, func(t *testing.T) {
			s := newStage(t)
			create(t, s, 1)
			s.breakWhen(at)
			err := s.Create(t.Context(), liveRecord(2))
			require.ErrorContains(t, err, "magiclink/sqlite: create: not authorized")
			require.NotErrorIs(t, err, magiclink.ErrUnknownOutcome, "the transaction was never begun, or rolled back")
			requireAbsent(t, s, 2)
			create(t, s, 2)
		})
	}
	t.Run("READ", func(t *testing.T) {
		s := newStage(t)
		create(t, s, 1)
		s.breakWhen("READ")
		_, err := s.Get(t.Context(), liveRecord(1).ID)
		require.ErrorContains(t, err, "magiclink/sqlite: get: ")
		requirePresent(t, s, 1)
	})
}
