package redis

import (
	"context"
	"errors"
	"slices"

	"github.com/magiclink-go/magiclink"
)

var (
	_ magiclink.Lister      = (*Store)(nil)
	_ magiclink.ListChecker = (*Store)(nil)
)

// CheckList returns an error that matches [magiclink.ErrUnsupported] if [Options] names no [Index] for the subject.
func (s *Store) CheckList(subject magiclink.Subject) error {
	switch {
	case !s.usable():
		return failed("list", errNoStore)
	case len(s.indexKeys(subject)) == 0:
		return failed("list", errNoIndex(subject))
	}
	return nil
}

// List returns the records that match, those with the largest ids first. It needs an [Index] for the query, and returns an error that
// matches [magiclink.ErrUnsupported] if [Options] names none. It reads the entries of the index and the records in steps of at most 256, until
// it has found enough, so a filter that matches few records of a large tenant reads many.
//
// The index of a query is one key of one server. The records lie on all servers of a cluster, and each is read from its primary.
func (s *Store) List(ctx context.Context, query magiclink.ListQuery) ([]magiclink.Record, error) {
	if !s.usable() {
		return nil, failed("list", errNoStore)
	}
	query, err := query.Canonical()
	if err != nil {
		return nil, failed("list", err)
	}
	var all []magiclink.Record
	for n := min(query.Limit, stepLimit); ; n = min(4*n, stepLimit) {
		found, last, err := s.search(ctx, "list", query, n)
		if err != nil {
			return nil, err
		}
		if all = append(all, found...); len(all) >= query.Limit || last == "" {
			return slices.Clip(all[:min(len(all), query.Limit)]), nil
		}
		query.Before = last
	}
}

// search looks at the next n entries of the best index and returns the records that match. Last is the id after which to go on, and empty
// at the end.
func (s *Store) search(ctx context.Context, name string, query magiclink.ListQuery, n int) (found []magiclink.Record, last string, err error) {
	if err := ctx.Err(); err != nil {
		return nil, "", failed(name, err)
	}
	keys := s.indexKeys(query.Subject)
	if len(keys) == 0 {
		return nil, "", failed(name, errNoIndex(query.Subject))
	}
	ids, last, err := s.entries(ctx, name, keys[0], query.Before, n)
	if err != nil {
		return nil, "", err
	}
	calls := make([]*call, len(ids))
	for i, id := range ids {
		calls[i] = &call{operation: get, id: id}
	}
	for i, err := range s.doAll(ctx, calls) {
		switch {
		case errors.Is(err, magiclink.ErrNotFound): // it has ended, or its Create has not
		case err != nil:
			return nil, "", failed(name, err)
		case query.Matches(calls[i].entry.Record):
			found = append(found, calls[i].entry.Record)
		}
	}
	return found, last, nil
}
