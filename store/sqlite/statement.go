package sqlite

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
)

// statement is one that was prepared on the connection that writes. It runs on the driver itself: database/sql would lock,
// copy and convert at every step, which costs as much as SQLite's own work on a row. It is a query for the driver also
// where no row comes back, since that is the driver's way of passing all arguments in one call.
type statement struct {
	stmt preparedQuery
	args []driver.NamedValue // kept from one run to the next
	row  []driver.Value
}

type preparedQuery interface {
	driver.Stmt
	driver.StmtQueryContext
}

func prepareStatement(conn driver.Conn, query string) (*statement, error) {
	stmt, err := conn.Prepare(query)
	if err != nil {
		return nil, err
	}
	prepared, ok := stmt.(preparedQuery)
	if !ok {
		return nil, errors.Join(fmt.Errorf("a driver with statements of type %T is not supported", stmt), stmt.Close())
	}
	return &statement{stmt: prepared}, nil
}

// run runs the statement and returns its first row, which is valid until the next run, or nil if it has none. SQLite has
// changed everything that a statement changes when the first row comes. Nothing interrupts it, so its outcome is known.
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

// number runs a statement whose answer is one number.
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
	return 0, errors.New("the database did not answer with a number")
}
