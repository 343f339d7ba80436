package postgres

import (
	"context"

	"github.com/magiclink-go/magiclink"
)

var _ magiclink.Lister = (*Store)(nil)

// List looks through the records in steps: one statement reads at most this many, so that each ends long before Options.Timeout.
const (
	firstStep   = 256
	longestStep = 8192
)

// List returns the records that match, those with the largest ids first. [Index] says how long that takes in a large table. The
// statements are planned anew each time, since a plan that PostgreSQL keeps of a prepared statement knows nothing of the values.
func (s *Store) List(ctx context.Context, query magiclink.ListQuery) ([]magiclink.Record, error) {
	if !s.usable() {
		return nil, failed("list", errNoStore)
	}
	query, err := query.Canonical()
	if err != nil {
		return nil, failed("list", err)
	}
	return s.search(ctx, "list", query, "")
}

// search returns the records that match the query and a further condition in SQL. Its errors have the name of the operation.
func (s *Store) search(ctx context.Context, name string, query magiclink.ListQuery, further string) (found []magiclink.Record, err error) {
	there, err := s.indexes(ctx)
	if err != nil {
		return nil, err
	}
	l := newListing(s.schema, query, there)
	if further != "" {
		l.filters += further
	}
	before, limit := query.Before, query.Limit
	for length := l.firstStep(limit); ; length = min(4*length, longestStep) {
		step := &step{before: before, length: length, limit: limit - len(found)}
		err := s.lookUp(ctx, name, func(ctx context.Context, q querier, _ []*call) error { return l.send(ctx, q, step) })
		if err != nil {
			return nil, err
		}
		found = append(found, step.found...)
		if len(found) == limit || step.count < length {
			return found, nil
		}
		before = step.last
	}
}

// firstStep returns how many rows the first step reads.
func (l *listing) firstStep(limit int) int {
	if l.filters == "" {
		return limit
	}
	return max(firstStep, 2*limit)
}

// step is a part of a listing: records with ids before this one.
type step struct {
	before        string
	length, limit int

	count int    // how many records the step has looked at
	last  string // the id of the last of them
	found []magiclink.Record
}

func (l *listing) send(ctx context.Context, q querier, s *step) error {
	s.found = nil
	rows, err := q.Query(ctx, l.stepSQL(s.before), freshPlan(q), l.arguments(s.before, s.length, s.limit))
	if err != nil {
		return err
	}
	return eachRow(rows, func() error {
		if rows.RawValues()[2] == nil { // the id: no record passes the filters
			err := rows.Scan(append([]any{&s.count, &s.last}, make([]any, len(rows.RawValues())-2)...)...)
			s.last = unescape(s.last)
			return err
		}
		record, err := scanRecord(rows, &s.count, &s.last)
		s.last = unescape(s.last)
		s.found = append(s.found, record)
		return err
	})
}
