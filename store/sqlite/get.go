package sqlite

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"

	"github.com/magiclink-go/magiclink"
)

// Get returns the record with this id, whatever its state. It returns [magiclink.ErrNotFound] if there is none.
// It does not wait for writes.
func (s *Store) Get(ctx context.Context, id string) (magiclink.Record, error) {
	record, found, err := s.get(ctx, id)
	if err != nil {
		return magiclink.Record{}, fmt.Errorf("magiclink/sqlite: get: %w", err)
	}
	if !found {
		return magiclink.Record{}, magiclink.ErrNotFound
	}
	return record, nil
}

func (s *Store) get(ctx context.Context, id string) (record magiclink.Record, found bool, err error) {
	if err := s.check(); err != nil {
		return record, false, err
	}
	from, err := look(ctx)
	if err != nil {
		return record, false, err
	}
	record, found, err = s.lookUp(from.ended, id)
	return record, found, withCause(ctx, from, err)
}

func (s *Store) lookUp(ended <-chan struct{}, id string) (record magiclink.Record, found bool, err error) {
	err = s.onReader(ended, func(conn driver.QueryerContext) error {
		record, found, err = queryRecord(conn, id)
		return err
	})
	if err != nil {
		return magiclink.Record{}, false, err
	}
	return record, found, nil
}

// queryRecord asks the driver itself, as a statement does. Reading one record is not worth interrupting.
func queryRecord(conn driver.QueryerContext, id string) (r magiclink.Record, found bool, err error) {
	rows, err := conn.QueryContext(context.Background(), selectRecord, []driver.NamedValue{{Ordinal: 1, Value: id}})
	if err != nil {
		return magiclink.Record{}, false, err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	row := make([]driver.Value, columnCount)
	if err := rows.Next(row); errors.Is(err, io.EOF) {
		return magiclink.Record{}, false, nil
	} else if err != nil {
		return magiclink.Record{}, false, err
	}
	r, err = readRecord(row)
	return r, err == nil, err
}
