package sqlite

import (
	"context"
	"database/sql/driver"
	"fmt"

	"github.com/magiclink-go/magiclink"
)

var _ magiclink.Lister = (*Store)(nil)

// List looks through the records in steps: one statement reads at most this many, so that no statement keeps SQLite from moving
// its log back for long, and so that the caller can leave between two steps.
const (
	firstStep   = 256
	longestStep = 16384
)

// List returns the records that match, those with the largest ids first. [Index] says how long that takes in a large database.
// List does not wait for writes. It returns soon after its context has ended.
func (s *Store) List(ctx context.Context, query magiclink.ListQuery) ([]magiclink.Record, error) {
	records, err := s.list(ctx, query)
	if err != nil {
		return nil, fmt.Errorf("magiclink/sqlite: list: %w", err)
	}
	return records, nil
}

func (s *Store) list(ctx context.Context, query magiclink.ListQuery) ([]magiclink.Record, error) {
	if err := s.check(); err != nil {
		return nil, err
	}
	query, err := query.Canonical()
	if err != nil {
		return nil, err
	}
	from, err := look(ctx)
	if err != nil {
		return nil, err
	}
	records, err := s.search(from, query, "")
	return records, withCause(ctx, from, err)
}

// search returns the records that match the query and a further condition in SQL.
func (s *Store) search(from caller, query magiclink.ListQuery, further string) (records []magiclink.Record, err error) {
	err = s.onReader(from.ended, func(conn driver.QueryerContext) error {
		there, err := indexes(conn)
		if err != nil {
			return err
		}
		l := newListing(query, there)
		if further != "" {
			l.filter(further)
		}
		l.conn, l.ended = conn, from.ended
		records, err = l.run(query.Before, query.Limit)
		return err
	})
	if err != nil {
		return nil, err
	}
	return records, nil
}

// listing looks for the records of one query.
type listing struct {
	conn       driver.QueryerContext
	ended      <-chan struct{}
	table      string // with the index to use: without statistics SQLite would take the primary key
	keys       string // the conditions that the index fulfils
	keyArgs    []driver.Value
	filters    string // the other conditions
	filterArgs []driver.Value
}

// run returns at most limit records with ids before this one.
func (l *listing) run(before string, limit int) (found []magiclink.Record, err error) {
	if l.filters == "" {
		return l.step(before, "", limit)
	}
	for length := max(firstStep, 2*limit); ; length = min(4*length, longestStep) {
		last, err := l.skip(before, length)
		if err != nil {
			return nil, err
		}
		more, err := l.step(before, last, limit-len(found))
		if err != nil {
			return nil, err
		}
		found = append(found, more...)
		if len(found) == limit || last == "" {
			return found, nil
		}
		if hasEnded(l.ended) {
			return nil, errEnded
		}
		before = last
	}
}

// skip returns the id of the last record of a step, or none if the step is the last one.
func (l *listing) skip(before string, length int) (last string, err error) {
	query, args := l.from("SELECT id", before)
	args = append(args, int64(length-1))
	err = eachRow(l.conn, query+" ORDER BY id DESC LIMIT 1 OFFSET ?", args, func(row []driver.Value) error {
		c := cells{row: row, ok: true}
		if last = c.text(0); !c.ok {
			return errColumnType
		}
		return nil
	})
	return last, err
}

// step returns at most limit records from the one before the first id down to the last one.
func (l *listing) step(before, last string, limit int) (found []magiclink.Record, err error) {
	query, args := l.from(selectColumns, before)
	if last != "" {
		query, args = query+" AND id >= ?", append(args, last)
	}
	args = append(append(args, l.filterArgs...), int64(limit))
	err = eachRow(l.conn, query+l.filters+" ORDER BY id DESC LIMIT ?", args, func(row []driver.Value) error {
		record, err := readRecord(row)
		found = append(found, record)
		return err
	})
	return found, err
}

func (l *listing) from(what, before string) (query string, args []driver.Value) {
	query, args = what+" FROM "+l.table+" WHERE true"+l.keys, append(args, l.keyArgs...)
	if before != "" {
		query, args = query+" AND id < ?", append(args, before)
	}
	return query, args
}
