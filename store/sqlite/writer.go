package sqlite

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"

	"github.com/magiclink-go/magiclink"
)

// writer is the one connection that writes. It is opened by the first write and again after a failure: a connection
// may keep the marks of its failure for ever, as one does that was opened while the file system was read-only.
// Only the leader of the committer uses it.
type writer struct {
	db   *sql.DB
	file string    // the path of the database
	conn *sql.Conn // nil until it is needed
}

// begin opens a transaction that holds the lock for writing, waiting for that lock as long as patience allows.
func (w *writer) begin(ctx context.Context, p patience) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if err := checkWritable(w.file); err != nil {
		return err // the connection stays: closing it would write, too
	}
	return p.wait(ctx, func() error {
		if err := w.open(ctx); err != nil {
			return err
		}
		// From here on nothing may be interrupted half-way, so that the outcome of each statement is known.
		err := exec(context.WithoutCancel(ctx), w.conn, "BEGIN IMMEDIATE")
		if err != nil && !isLocked(err) {
			w.discard()
		}
		return err
	})
}

func (w *writer) open(ctx context.Context) error {
	if w.conn != nil {
		return nil
	}
	conn, err := w.db.Conn(ctx)
	if err != nil {
		return err
	}
	if err := configureWriter(context.WithoutCancel(ctx), conn); err != nil {
		discard(conn)
		return err
	}
	w.conn = conn
	return nil
}

// commit ends the transaction. If that fails, the error matches [magiclink.ErrUnknownOutcome] unless the transaction
// is known to have been rolled back: a log whose sync has failed may or may not hold the commit after a loss of power.
func (w *writer) commit(ctx context.Context) error {
	err := exec(ctx, w.conn, "COMMIT")
	if err == nil {
		return nil
	}
	defer w.discard()
	if stillOpen(w.conn) && exec(ctx, w.conn, "ROLLBACK") == nil {
		return err
	}
	return fmt.Errorf("%w: %w", magiclink.ErrUnknownOutcome, err)
}

// discard closes the connection, which rolls back what it has not committed.
func (w *writer) discard() {
	if w.conn != nil {
		discard(w.conn)
		w.conn = nil
	}
}

// configureWriter sets what durable writes need, whatever the name of the data source says, and verifies it.
func configureWriter(ctx context.Context, conn *sql.Conn) error {
	if err := exec(ctx, conn, "PRAGMA busy_timeout = 0; PRAGMA synchronous = FULL"); err != nil {
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

// stillOpen reports whether the connection is known to be inside a transaction.
func stillOpen(conn *sql.Conn) bool {
	open := false
	_ = conn.Raw(func(driverConn any) error {
		if c, ok := driverConn.(interface{ AutoCommit() bool }); ok {
			open = !c.AutoCommit()
		}
		return nil
	})
	return open
}

func exec(ctx context.Context, conn *sql.Conn, query string, args ...any) error {
	_, err := conn.ExecContext(ctx, query, args...)
	return err
}
