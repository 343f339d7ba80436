package sqlite

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"

	"github.com/mattn/go-sqlite3"
)

// writer is the one connection that writes. It is opened by the first write and again after a failure: a connection
// may keep the marks of its failure for ever, as one does that was opened while the file system was read-only.
// Only the leader of the committer uses it.
type writer struct {
	db      *sql.DB
	guard   *guard
	conn    *sql.Conn // nil until it is needed
	session *session  // of conn

	doubtful bool // a commit has failed, and the log may hold what the disk does not
}

// begin opens a transaction that holds the lock for writing, waiting for that lock as long as patience allows.
func (w *writer) begin(ctx context.Context, p patience) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if err := w.guard.writable(); err != nil {
		return err // the connection stays: closing it would write, too
	}
	return p.wait(ctx, func() error {
		if err := w.open(ctx); err != nil {
			return err
		}
		err := w.conn.Raw(func(any) error {
			_, err := w.session.begin.run()
			return err
		})
		if err != nil && !isLocked(err) {
			w.discard()
		}
		return err
	})
}

// finish lets work run in the transaction that was begun and commits it. If work reports that it is spoiled, nothing of it
// is kept. The error is that of the commit.
func (w *writer) finish(work func(*session) (spoiled bool)) error {
	var spoiled, ended bool
	err := w.conn.Raw(func(any) error {
		if spoiled = work(w.session); spoiled {
			return nil
		}
		ended = true
		return w.session.end()
	})
	if spoiled || err != nil {
		w.doubtful = w.doubtful || ended
		w.discard()
	}
	return err
}

func (w *writer) open(ctx context.Context) error {
	if w.conn != nil {
		return nil
	}
	conn, err := w.db.Conn(ctx)
	if err != nil {
		return err
	}
	// From here on nothing may be interrupted half-way.
	if err := w.equip(context.WithoutCancel(ctx), conn); err != nil {
		discard(conn)
		return err
	}
	w.conn = conn
	return nil
}

// equip makes a connection of the pool ours.
func (w *writer) equip(ctx context.Context, conn *sql.Conn) error {
	if err := configureWriter(ctx, conn); err != nil {
		return err
	}
	if w.doubtful {
		if err := checkpoint(ctx, conn, "TRUNCATE"); err != nil {
			return err
		}
		w.doubtful = false
	}
	return conn.Raw(func(driverConn any) (err error) {
		w.session, err = newSession(driverConn.(driver.Conn))
		return err
	})
}

// discard closes the connection, which rolls back what it has not committed.
func (w *writer) discard() {
	if w.conn == nil {
		return
	}
	_ = w.conn.Raw(func(any) error { return w.session.close() }) // closing the connection is what matters
	discard(w.conn)
	w.conn, w.session = nil, nil
}

// configureWriter sets what durable writes need, whatever the name of the data source says, and verifies it.
func configureWriter(ctx context.Context, conn *sql.Conn) error {
	// Moving the log back holds up the commit that does it. At SQLite's 1000 pages it did so for one call in a hundred, and at
	// 2000 it still did with 64 callers. A log of 4000 pages is found through one block of its index. The price is paid once:
	// while a new log grows to that size, each commit extends its file, which makes a lone one half as long again.
	const settings = "PRAGMA busy_timeout = 0; PRAGMA synchronous = FULL; PRAGMA wal_autocheckpoint = 4000"
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

// checkpoint moves the log into the database and syncs that. It is what makes a log safe to go on with whose sync has
// failed: the system may take pages for written that are not, and never write them, so that what is appended behind them
// is lost with them when the power fails. Read back from memory and written to the database they are safe.
//
// In the mode TRUNCATE it waits for nobody and returns SQLITE_BUSY if others hold it up; in PASSIVE it does what it can.
func checkpoint(ctx context.Context, conn *sql.Conn, mode string) error {
	var busy, inLog, moved int
	err := conn.QueryRowContext(ctx, "PRAGMA wal_checkpoint("+mode+")").Scan(&busy, &inLog, &moved)
	if err == nil && busy != 0 && mode != "PASSIVE" {
		err = sqlite3.Error{Code: sqlite3.ErrBusy}
	}
	if err != nil {
		return fmt.Errorf("move the log into the database: %w", err)
	}
	return nil
}

func exec(ctx context.Context, conn *sql.Conn, query string, args ...any) error {
	_, err := conn.ExecContext(ctx, query, args...)
	return err
}
