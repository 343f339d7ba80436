//go:build cgo

package sqlite_test

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/mattn/go-sqlite3"
	"github.com/stretchr/testify/require"

	"github.com/magiclink-go/magiclink"
	"github.com/magiclink-go/magiclink/store/sqlite"
)

// misbehaviors are what code of a caller, or of a driver, may do instead of returning.
var misbehaviors = map[string]func(released <-chan struct{}){
	"panics":             func(<-chan struct{}) { panic("canary") },
	"ends the goroutine": func(<-chan struct{}) { runtime.Goexit() },
	"blocks":             func(released <-chan struct{}) { <-released },
}

// hostile is a context one of whose methods misbehaves, from its nth call on.
type hostile struct {
	context.Context //nolint:containedctx // it is one
	method          string
	nth             int64
	calls           atomic.Int64
	done            chan struct{}
	misbehave       func()
}

func (h *hostile) on(method string) {
	if h.method == method && h.calls.Add(1) >= h.nth {
		h.misbehave()
	}
}

func (h *hostile) Deadline() (time.Time, bool) { h.on("Deadline"); return h.Context.Deadline() }
func (h *hostile) Done() <-chan struct{}       { h.on("Done"); return h.done }
func (h *hostile) Value(key any) any           { h.on("Value"); return h.Context.Value(key) }

func (h *hostile) Err() error {
	h.on("Err")
	select {
	case <-h.done:
		return context.Canceled
	default:
		return nil
	}
}

// calls are the calls of a store that take a context.
var calls = map[string]func(ctx context.Context, s *sqlite.Store) error{
	"create": func(ctx context.Context, s *sqlite.Store) error { return s.Create(ctx, liveRecord(1)) },
	"get":    func(ctx context.Context, s *sqlite.Store) error { _, err := s.Get(ctx, liveRecord(1).ID); return err },
	"consume": func(ctx context.Context, s *sqlite.Store) error {
		_, err := s.Consume(ctx, liveRecord(1).ID, time.Now(), "")
		return err
	},
	"revoke": func(ctx context.Context, s *sqlite.Store) error { return s.Revoke(ctx, liveRecord(1).ID, time.Now()) },
	"purge":  func(ctx context.Context, s *sqlite.Store) error { _, err := s.Purge(ctx, time.Now(), 1); return err },
	"ping":   func(ctx context.Context, s *sqlite.Store) error { return s.Ping(ctx) },
}

// A context that misbehaves stops its own call alone: others go on, and Close does not wait for it.
func TestHostileContext(t *testing.T) {
	for _, method := range []string{"Err", "Done", "Deadline", "Value"} {
		for behavior, misbehave := range misbehaviors {
			for _, nth := range []int64{1, 2} {
				t.Run(method+" "+behavior, func(t *testing.T) {
					t.Parallel()
					s, released := open(t, newPath(t)), make(chan struct{})
					var group sync.WaitGroup
					defer group.Wait()
					defer close(released)
					for _, call := range calls {
						ctx := &hostile{
							Context: t.Context(), method: method, nth: nth, done: make(chan struct{}),
							misbehave: func() { misbehave(released) },
						}
						group.Go(func() {
							defer func() { _ = recover() }()
							_ = call(ctx, s)
						})
					}
					create(t, s, 2)
					requirePresent(t, s, 2)
					require.NoError(t, s.Close())
				})
			}
		}
	}
}

// The same for a context that misbehaves when it has ended, while its call waits for a lock.
func TestHostileContextAtItsEnd(t *testing.T) {
	for behavior, misbehave := range misbehaviors {
		t.Run(behavior, func(t *testing.T) {
			t.Parallel()
			path, released := newPath(t), make(chan struct{})
			s := open(t, path)
			var group sync.WaitGroup
			defer group.Wait()
			defer close(released)
			unlock := lock(t, path)
			ctx := &hostile{
				Context: t.Context(), method: "Err", nth: 2, done: make(chan struct{}),
				misbehave: func() { misbehave(released) },
			}
			group.Go(func() {
				defer func() { _ = recover() }()
				_ = s.Create(ctx, liveRecord(1))
			})
			require.Eventually(t, func() bool { return s.Waiting() == 1 }, 30*time.Second, time.Millisecond)
			close(ctx.done)
			require.Eventually(t, func() bool { return ctx.calls.Load() == 2 }, 30*time.Second, time.Millisecond)
			unlock()
			create(t, s, 2)
			requireAbsent(t, s, 1)
			require.NoError(t, s.Close())
		})
	}
}

// A context whose end has no error must not make a call succeed that was not carried out.
func TestContextThatEndsWithoutAnError(t *testing.T) {
	path := newPath(t)
	s := open(t, path)
	defer lock(t, path)()
	ctx := silent{Context: t.Context(), done: make(chan struct{})}
	time.AfterFunc(10*time.Millisecond, func() { close(ctx.done) })
	require.ErrorContains(t, s.Create(ctx, liveRecord(1)), "magiclink/sqlite: create: the context has ended")
	requireAbsent(t, s, 1)
}

type silent struct {
	context.Context //nolint:containedctx // it is one
	done            chan struct{}
}

func (s silent) Done() <-chan struct{} { return s.done }
func (silent) Err() error              { return nil }

// hostileDriver is SQLite's driver with statements that misbehave on demand.
type hostileDriver struct{ sqlite3.SQLiteDriver }

type hostileConn struct {
	*sqlite3.SQLiteConn
}

type hostileStmt struct {
	*sqlite3.SQLiteStmt
	query string
}

// trap makes the next run of a statement misbehave.
var trap atomic.Pointer[struct {
	query     string
	misbehave func()
}]

func (d *hostileDriver) Open(name string) (driver.Conn, error) {
	conn, err := d.SQLiteDriver.Open(name)
	if err != nil {
		return nil, err
	}
	return &hostileConn{conn.(*sqlite3.SQLiteConn)}, nil
}

func (c *hostileConn) Prepare(query string) (driver.Stmt, error) {
	stmt, err := c.SQLiteConn.Prepare(query)
	if err != nil {
		return nil, err
	}
	return &hostileStmt{stmt.(*sqlite3.SQLiteStmt), query}, nil
}

func (s *hostileStmt) QueryContext(ctx context.Context, args []driver.NamedValue) (driver.Rows, error) {
	if armed := trap.Load(); armed != nil && len(s.query) >= len(armed.query) && s.query[:len(armed.query)] == armed.query &&
		trap.CompareAndSwap(armed, nil) {
		armed.misbehave()
	}
	return s.SQLiteStmt.QueryContext(ctx, args)
}

var registerHostile = sync.OnceFunc(func() { sql.Register("sqlite3_hostile", &hostileDriver{}) })

// errNoReturn is the outcome of a call that has ended its own goroutine.
var errNoReturn = errors.New("the call did not return")

// attempt creates a record in a goroutine of its own. A call without a deadline commits in that goroutine, a call with a
// deadline in the goroutine of the store.
func attempt(t *testing.T, s *sqlite.Store, number int, limited bool) error {
	t.Helper()
	ctx, cancel := t.Context(), func() {}
	if limited {
		ctx, cancel = context.WithTimeout(ctx, 30*time.Second)
	}
	defer cancel()
	outcome, group := errNoReturn, sync.WaitGroup{}
	group.Go(func() { outcome = s.Create(ctx, liveRecord(number)) })
	group.Wait()
	return outcome
}

// wantOutcome is what a call must say in which the driver misbehaved.
func wantOutcome(behavior string, limited bool) error {
	if behavior == "panics" || limited {
		return magiclink.ErrUnknownOutcome
	}
	return errNoReturn
}

// A driver that panics or ends the goroutine in one call leaves a store that works.
func TestHostileDriver(t *testing.T) {
	registerHostile()
	for _, query := range []string{"BEGIN", "INSERT", "COMMIT"} {
		for i, behavior := range []string{"panics", "ends the goroutine", "panics", "ends the goroutine"} {
			limited := i >= 2
			t.Run(query+" "+behavior, func(t *testing.T) {
				db, err := sql.Open("sqlite3_hostile", newPath(t))
				require.NoError(t, err)
				defer func() { require.NoError(t, db.Close()) }()
				s, err := sqlite.New(db)
				require.NoError(t, err)
				create(t, s, 1)
				trap.Store(&struct {
					query     string
					misbehave func()
				}{query, func() { misbehaviors[behavior](nil) }})
				err = attempt(t, s, 2, limited)
				require.ErrorIs(t, err, wantOutcome(behavior, limited))
				require.NotContains(t, err.Error(), "canary")
				require.Nil(t, trap.Load())
				create(t, s, 2, 3)
				require.NoError(t, s.Close())
			})
		}
	}
}

// hook is called by a trigger of the hostile application.
var hook atomic.Pointer[func()]

var registerHook = sync.OnceFunc(func() {
	sql.Register("sqlite3_hook", &sqlite3.SQLiteDriver{ConnectHook: func(conn *sqlite3.SQLiteConn) error {
		return conn.RegisterFunc("hook", func() int {
			if armed := hook.Swap(nil); armed != nil {
				(*armed)()
			}
			return 0
		}, false)
	}})
})

// The same for a function of the application that SQLite calls in the middle of a statement.
func TestHostileHook(t *testing.T) {
	registerHook()
	for i, behavior := range []string{"panics", "ends the goroutine", "panics", "ends the goroutine"} {
		limited := i >= 2
		t.Run(behavior, func(t *testing.T) {
			db, err := sql.Open("sqlite3_hook", newPath(t))
			require.NoError(t, err)
			defer func() { require.NoError(t, db.Close()) }()
			s, err := sqlite.New(db)
			require.NoError(t, err)
			_, err = db.ExecContext(t.Context(), "CREATE TRIGGER hook BEFORE INSERT ON magiclink_links BEGIN SELECT hook(); END")
			require.NoError(t, err)
			for number := range 50 { // the panic rarely meets a change of threads
				misbehave := func() { misbehaviors[behavior](nil) }
				hook.Store(&misbehave)
				require.ErrorIs(t, attempt(t, s, number, limited), wantOutcome(behavior, limited))
				require.Nil(t, hook.Load())
				create(t, s, number)
			}
			require.NoError(t, s.Close())
		})
	}
}

// A store that neither Open nor New has made returns an error from every method.
func TestZeroStore(t *testing.T) {
	for _, s := range []*sqlite.Store{nil, {}} {
		for name, call := range calls {
			require.EqualError(t, call(t.Context(), s), "magiclink/sqlite: "+name+": the Store is not initialized: use Open or New")
		}
		require.EqualError(t, s.Close(), "magiclink/sqlite: close: the Store is not initialized: use Open or New")
	}
}
