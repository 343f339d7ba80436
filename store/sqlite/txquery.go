package sqlite

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"io"
)

// txQuery runs a query in a transaction of database/sql, in place of a prepared statement of the driver.
type txQuery struct {
	tx   *sql.Tx
	text string
}

// QueryContext implements [driver.StmtQueryContext].
func (q txQuery) QueryContext(ctx context.Context, args []driver.NamedValue) (driver.Rows, error) {
	values := make([]any, len(args))
	for i, arg := range args {
		values[i] = arg.Value
	}
	rows, err := q.tx.QueryContext(ctx, q.text, values...) //nolint:rowserrcheck // by txRows
	if err != nil {
		return nil, err
	}
	columns, err := rows.Columns()
	if err != nil {
		_ = rows.Close() //nolint:sqlclosecheck // else by txRows
		return nil, err
	}
	return &txRows{rows: rows, columns: columns}, nil
}

// Close does nothing: the query is prepared when it runs.
func (q txQuery) Close() error { return nil }

// txRows are rows of database/sql, read as the driver's.
type txRows struct {
	rows    *sql.Rows
	columns []string
}

// Columns implements [driver.Rows].
func (r *txRows) Columns() []string { return r.columns }

// Close implements [driver.Rows].
func (r *txRows) Close() error { return r.rows.Close() }

// Next reads the next row, and returns [io.EOF] after the last.
func (r *txRows) Next(row []driver.Value) error {
	if !r.rows.Next() {
		if err := r.rows.Err(); err != nil {
			return err
		}
		return io.EOF
	}
	cells := make([]any, len(row))
	for i := range row {
		row[i] = nil
		cells[i] = (*any)(&row[i])
	}
	return r.rows.Scan(cells...)
}
