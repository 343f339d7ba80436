package sqlite

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
)

// onReader lets use read with a connection of the pool. It repeats use while another process holds a lock.
func (s *Store) onReader(ended <-chan struct{}, use func(driver.QueryerContext) error) error {
	if err := s.gate.enter(); err != nil {
		return err
	}
	defer s.gate.leave()
	// A reader meets a lock only while another process reads the log back after a crash, or closes the last connection.
	p := newPatience()
	return withAdvice(p.wait(ended, func() error { return s.read(ended, p, use) }))
}

func (s *Store) read(ended <-chan struct{}, p patience, use func(driver.QueryerContext) error) error {
	if err := s.guard.mapped(); err != nil {
		return err
	}
	conn, err := p.connection(ended, s.db)
	if err != nil {
		return err
	}
	err = conn.Raw(func(driverConn any) error {
		queryer, ok := driverConn.(driver.QueryerContext)
		if !ok {
			return fmt.Errorf("connections of type %T are not supported: use the driver github.com/mattn/go-sqlite3", driverConn)
		}
		return use(queryer)
	})
	if err != nil && !isLocked(err) && !errors.Is(err, errEnded) {
		discard(conn) // it may keep the marks of the failure, as the writer's
		return err
	}
	return errors.Join(err, conn.Close())
}

// eachRow asks the driver itself, as a statement does, and passes each row to read, which must not keep the row. Nothing
// interrupts the query.
func eachRow(conn driver.QueryerContext, query string, args []driver.Value, read func(row []driver.Value) error) (err error) {
	named := make([]driver.NamedValue, len(args))
	for i, arg := range args {
		named[i] = driver.NamedValue{Ordinal: i + 1, Value: arg}
	}
	rows, err := conn.QueryContext(context.Background(), query, named)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	row := make([]driver.Value, len(rows.Columns()))
	for {
		switch err := rows.Next(row); {
		case errors.Is(err, io.EOF):
			return nil
		case err != nil:
			return err
		}
		if err := read(row); err != nil {
			return err
		}
	}
}
