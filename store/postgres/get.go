package postgres

import (
	"context"
	"errors"
	"fmt"
	"unicode/utf8"

	"github.com/jackc/pgx/v5"

	"github.com/magiclink-go/magiclink"
)

// sendGet reads one record, or those of many calls.
func (s *statements) sendGet(ctx context.Context, q querier, calls []*call) error {
	if len(calls) == 1 {
		return s.getOne(ctx, q, calls[0])
	}
	ids := knownForms(calls)
	rows, err := q.Query(ctx, s.getMany, ids)
	if err != nil {
		return err
	}
	found := make(map[string]magiclink.Record, len(ids))
	err = eachRow(rows, func() error {
		record, err := scanRecord(rows)
		found[record.ID] = record
		return err
	})
	if err != nil {
		return err
	}
	for _, c := range calls {
		record, ok := found[c.id]
		c.record, c.verdict = record, nil
		if !ok {
			c.verdict = magiclink.ErrNotFound
		}
	}
	return nil
}

func (s *statements) getOne(ctx context.Context, q querier, c *call) error {
	if c.verdict = magiclink.ErrNotFound; unknownForm(c.id) {
		return nil
	}
	found, err := readOne(ctx, q, &c.record, (*row).columns, s.get, escape(c.id))
	if found {
		c.verdict = nil
	}
	return err
}

// readOne reads the record that a statement returns, if there is one. Targets says which columns those are.
func readOne(ctx context.Context, q querier, record *magiclink.Record, targets func(*row) []any, sql string, args ...any) (found bool, err error) {
	rows, err := q.Query(ctx, sql, args...)
	if err != nil {
		return false, err
	}
	err = eachRow(rows, func() error {
		r := row{record: record}
		if err := scan(rows, targets(&r)...); err != nil {
			return err
		}
		r.finish()
		found = true
		return nil
	})
	return found, err
}

// unknownForm reports whether no record can have the id.
func unknownForm(id string) bool { return !utf8.ValidString(id) }

// knownForms returns the ids that a record can have, as they are stored, each once.
func knownForms(calls []*call) []string {
	ids, seen := make([]string, 0, len(calls)), make(map[string]bool, len(calls))
	for _, c := range calls {
		if !unknownForm(c.id) && !seen[c.id] {
			seen[c.id] = true
			ids = append(ids, escape(c.id))
		}
	}
	return ids
}

// eachRow calls read for each row. It reads to the end of the answer, where the outcome of the commit is.
func eachRow(rows pgx.Rows, read func() error) error {
	defer rows.Close()
	for rows.Next() {
		if err := read(); err != nil {
			return err
		}
	}
	return rows.Err()
}

// sendPing checks the version of the tables and whether the server takes writes.
func (s *statements) sendPing(ctx context.Context, q querier, calls []*call) error {
	rows, err := q.Query(ctx, s.ping)
	if err != nil {
		return err
	}
	version, readOnly, allowed, found := 0, false, false, false
	err = eachRow(rows, func() error {
		found = true
		return rows.Scan(&version, &readOnly, &allowed)
	})
	if err != nil {
		return err
	}
	err = checkVersion(version)
	switch {
	case !found:
		err = errNoVersion
	case err != nil:
	case readOnly:
		err = errors.New(adviceReadOnly)
	case !allowed:
		err = errors.New(adviceGrant)
	}
	if err != nil {
		calls[0].verdict = failed("ping", err)
	}
	return nil
}

var errNoVersion = errors.New("the table magiclink_version is empty: restore the tables from a backup")

func checkVersion(version int) error {
	switch {
	case version < newestVersion:
		return fmt.Errorf("%w: the version is %d instead of %d", ErrNotMigrated, version, newestVersion)
	case version > newestVersion:
		return fmt.Errorf("the tables have version %d and this package knows up to %d: upgrade the package, or restore a backup from before the upgrade", version, newestVersion)
	}
	return nil
}
