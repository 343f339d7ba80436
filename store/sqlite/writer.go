package sqlite

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"runtime"
)

// writer is the one connection that writes. The first write opens it. After a failure another connection takes its place,
// since a connection may keep the marks of a failure for ever: one that was opened on a read-only file system does. Only the
// goroutine of the committer uses the writer.
//
// # Why a failed commit needs no repair
//
// After a failed fsync the kernel may mark dirty pages clean without having written them. What is appended to the log behind
// such pages is lost with them when the power fails, even if its own fsync succeeds. But SQLite raises the number of valid
// frames in the index of the log (the file "-shm") only after the fsync. So the frames of a failed commit lie behind the last
// valid frame, and the next commit, of this or any other process, writes over them from there on: it makes these pages dirty
// again, and its own fsync covers them. Frames of the failed commit that lie behind the new ones do not continue the chain of
// checksums any more.
//
// That holds as long as nobody builds the index anew, because reading the log back takes the frames of the failed commit for
// valid ones. The index lives while any connection is open. Therefore the failed connection stays open until the next one has
// read the database, and with that uses the same index. No reader of another process can hold this up, as it could hold up a
// checkpoint that empties the log.
type writer struct {
	db         *sql.DB
	guard      *guard
	conn       *sql.Conn   // nil until it is needed
	statements *statements // of conn
	failed     *sql.Conn   // nil, or the connection before, while conn is nil
	bound      bool        // run has bound the goroutine to its thread
}

// begin opens a transaction that holds the lock for writing. It waits for that lock as long as patience allows.
func (w *writer) begin(ended <-chan struct{}, p patience) error {
	if err := w.guard.writable(); err != nil {
		return err // the connection stays: closing it would write, too
	}
	return p.wait(ended, func() error {
		if err := w.open(ended, p); err != nil {
			return err
		}
		err := w.run(func(s *statements) error {
			_, err := s.begin.run()
			return err
		})
		if err != nil && !isLocked(err) {
			w.replace()
		}
		return err
	})
}

// finish lets work run in the transaction that was begun and commits it. If work reports undo, nothing of it is kept. The
// error is that of the commit.
func (w *writer) finish(work func(*statements) (undo bool)) error {
	undone := false
	err := w.run(func(s *statements) error {
		if undone = work(s); undone {
			s.undo()
			return nil
		}
		return s.end()
	})
	if undone || err != nil {
		w.replace()
	}
	return err
}

// run uses the statements. If that panics or ends the goroutine, the statements are closed: database/sql then closes the
// connection, and a connection with open statements would keep its transaction. A panic in a hook skips functions of SQLite that were
// running. They never give back the lock of the connection, which belongs to this thread: on any other thread the closing would wait for
// ever. So the goroutine stays on this thread until abandon.
func (w *writer) run(use func(*statements) error) error {
	return w.conn.Raw(func(any) error {
		finished := false
		defer func() {
			if !finished {
				runtime.LockOSThread()
				w.bound = true
				_ = w.statements.close()
			}
		}()
		err := use(w.statements)
		finished = true
		return err
	})
}

func (w *writer) open(ended <-chan struct{}, p patience) error {
	if w.conn != nil {
		return nil
	}
	conn, err := p.connection(ended, w.db)
	if err != nil {
		return err
	}
	statements, err := equip(context.Background(), conn) // from here on nothing may be interrupted half-way
	if err != nil {
		discard(conn)
		return err
	}
	w.conn, w.statements = conn, statements
	w.guard.opened()
	if w.failed != nil {
		discard(w.failed)
		w.failed = nil
	}
	return nil
}

// equip makes a connection of the pool the one that writes, and reads the database with it.
func equip(ctx context.Context, conn *sql.Conn) (s *statements, err error) {
	// Another program can have left WAL while no connection was open. A commit of another mode is not sure to be on the disk, and
	// reads wait for it.
	if err := enableWAL(ctx, conn); err != nil {
		return nil, err
	}
	if err := configureWriter(ctx, conn); err != nil {
		return nil, err
	}
	err = conn.Raw(func(driverConn any) error {
		if s, err = newStatements(driverConn.(driver.Conn)); err != nil {
			return err
		}
		if err := s.checkVersion(); err != nil {
			return errors.Join(err, s.close())
		}
		return nil
	})
	return s, err
}

// replace takes a connection that has failed out of use. It stays open until there is another one.
func (w *writer) replace() {
	_ = w.conn.Raw(func(any) error { return w.statements.close() }) // the connection is closed later
	w.failed, w.conn, w.statements = w.conn, nil, nil
}

// abandon forgets a connection that database/sql has closed because of a panic.
func (w *writer) abandon() {
	w.guard.closed()
	if w.conn != nil {
		discard(w.conn) // in case it was not closed
	}
	w.conn, w.statements = nil, nil
	if w.bound {
		w.bound = false
		runtime.UnlockOSThread()
	}
}

// close closes what is open. Closing a connection undoes what it has not committed.
func (w *writer) close() {
	w.guard.closed()
	if w.conn != nil {
		w.replace()
	}
	if w.failed != nil {
		discard(w.failed)
		w.failed = nil
	}
}

// configureWriter sets what durable writes need, whatever the name of the data source says, and verifies it.
func configureWriter(ctx context.Context, conn *sql.Conn) error {
	// Moving the log back holds up the commit that does it. At SQLite's 1000 pages it did so for one call in a hundred, and at
	// 2000 it still did with 64 callers. A log of 4000 pages is found through one block of its index. The price is paid once:
	// while a new log grows to that size, each commit extends its file, which makes a lone commit half as long again. A log that
	// has grown beside a long read of another program is cut to the limit, in bytes, when it begins anew. An ordinary one is
	// shorter.
	const settings = "PRAGMA busy_timeout = 0; PRAGMA synchronous = FULL; PRAGMA wal_autocheckpoint = 4000; PRAGMA journal_size_limit = 33554432"
	if err := exec(ctx, conn, settings); err != nil {
		return fmt.Errorf("configure the connection: %w", err)
	}
	var synchronous int
	if err := conn.QueryRowContext(ctx, "PRAGMA synchronous").Scan(&synchronous); err != nil {
		return fmt.Errorf("configure the connection: %w", err)
	}
	const full = 2
	if synchronous < full {
		return errors.New("configure the connection: synchronous=FULL was not accepted")
	}
	return nil
}

// discard closes the connection itself instead of giving it back to its pool.
func discard(conn *sql.Conn) {
	_ = conn.Raw(func(any) error { return driver.ErrBadConn }) // closes conn as well
}

func exec(ctx context.Context, conn *sql.Conn, query string, args ...any) error {
	_, err := conn.ExecContext(ctx, query, args...)
	return err
}
