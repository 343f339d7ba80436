package sqlite

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
)

// statement is a prepared statement of the connection that writes. It runs on the driver itself: database/sql would lock, copy
// and convert at every step, which costs as much as SQLite's own work on a row. Every statement is run as a query, also where
// no row comes back, because the driver passes the arguments of a query to C in one call.
type statement struct {
	stmt preparedQuery
	args []driver.NamedValue // kept from one run to the next
	row  []driver.Value
}

// preparedQuery is a statement of the driver, or a query in a transaction of the application.
type preparedQuery interface {
	driver.StmtQueryContext
	Close() error
}

func prepareStatement(conn driver.Conn, query string) (*statement, error) {
	stmt, err := conn.Prepare(query)
	if err != nil {
		return nil, err
	}
	prepared, ok := stmt.(preparedQuery)
	if !ok {
		return nil, errors.Join(fmt.Errorf("statements of type %T are not supported: use the driver github.com/mattn/go-sqlite3", stmt), stmt.Close())
	}
	return &statement{stmt: prepared}, nil
}

// run runs the statement and returns its first row, or nil if there is no row. The row is valid until the next run. When the
// first row comes, SQLite has made all changes of the statement. Nothing interrupts a statement, so its outcome is known.
func (s *statement) run(args ...driver.Value) (row []driver.Value, err error) {
	s.args = s.args[:0]
	for i, arg := range args {
		s.args = append(s.args, driver.NamedValue{Ordinal: i + 1, Value: arg})
	}
	rows, err := s.stmt.QueryContext(context.Background(), s.args)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	if s.row == nil {
		s.row = make([]driver.Value, len(rows.Columns()))
	}
	if err := rows.Next(s.row); errors.Is(err, io.EOF) {
		return nil, nil
	} else if err != nil {
		return nil, err
	}
	return s.row, nil
}

// number runs a statement that returns one number.
func (s *statement) number() (int, error) {
	row, err := s.run()
	if err != nil {
		return 0, err
	}
	if len(row) == 1 {
		if n, ok := row[0].(int64); ok {
			return int(n), nil
		}
	}
	return 0, errors.New("the database did not return a number: restore the tables of magiclink")
}
