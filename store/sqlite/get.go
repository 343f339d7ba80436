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
// It waits for no writer.
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
	if err := s.gate.enter(ctx); err != nil {
		return record, false, err
	}
	defer s.gate.leave()
	// A reader meets a lock only while another process repairs the log after a crash, or is the last to close.
	err = newPatience().wait(ctx, func() error {
		record, found, err = s.read(ctx, id)
		return err
	})
	if cause := ctx.Err(); err != nil && cause != nil && !errors.Is(err, cause) {
		err = fmt.Errorf("%w: %w", cause, err)
	}
	return record, found, err
}

func (s *Store) read(ctx context.Context, id string) (r magiclink.Record, found bool, err error) {
	if err := s.guard.mapped(); err != nil {
		return magiclink.Record{}, false, err
	}
	conn, err := s.db.Conn(ctx)
	if err != nil {
		return magiclink.Record{}, false, err
	}
	err = conn.Raw(func(driverConn any) error {
		queryer, ok := driverConn.(driver.QueryerContext)
		if !ok {
			return fmt.Errorf("a driver with connections of type %T is not supported", driverConn)
		}
		r, found, err = queryRecord(ctx, queryer, id)
		return err
	})
	if err != nil && ctx.Err() == nil && !isLocked(err) {
		discard(conn) // for the reason that the writer is
		return magiclink.Record{}, false, err
	}
	return r, found, errors.Join(err, conn.Close())
}

// queryRecord asks the driver itself, as a statement does.
func queryRecord(ctx context.Context, conn driver.QueryerContext, id string) (r magiclink.Record, found bool, err error) {
	rows, err := conn.QueryContext(ctx, selectRecord, []driver.NamedValue{{Ordinal: 1, Value: id}})
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
	r, err = record(row)
	return r, err == nil, err
}
