package postgres

import (
	"context"
	"errors"

	"github.com/magiclink-go/magiclink"
)

var errNoRow = errors.New("the server has accepted the link and stored no row: remove the trigger or the rule of the table that keeps it out")

// sendInsert is sendCreate outside of a transaction of the application. There a statement that fails ends nothing else, so that a lone insertion can
// do without ON CONFLICT, for which the server looks twice and logs more.
func (s *statements) sendInsert(ctx context.Context, q querier, calls []*call) error {
	if len(calls) > 1 {
		return s.sendCreate(ctx, q, calls)
	}
	calls[0].verdict = nil
	tag, err := q.Exec(ctx, s.insert, createArgs(&calls[0].record)...)
	if err == nil && tag.RowsAffected() != 1 {
		calls[0].verdict = failed("create", errNoRow)
	}
	if code(err) == codeTaken { // whether it is the id is for sendCreate to say
		return s.sendCreate(ctx, q, calls)
	}
	return err
}

// sendCreate inserts one record, or those of many calls. Of several calls with one id the first inserts.
func (s *statements) sendCreate(ctx context.Context, q querier, calls []*call) error {
	for _, c := range calls {
		c.verdict = magiclink.ErrExists
	}
	if len(calls) == 1 {
		tag, err := q.Exec(ctx, s.create, createArgs(&calls[0].record)...)
		if err == nil && tag.RowsAffected() == 1 {
			calls[0].verdict = nil
		}
		return err
	}
	first, records := make(map[string]*call, len(calls)), make([]*magiclink.Record, 0, len(calls))
	for _, c := range calls {
		if first[c.id] == nil {
			first[c.id] = c
			records = append(records, &c.record)
		}
	}
	rows, err := q.Query(ctx, s.createMany, createManyArgs(records)...)
	if err != nil {
		return err
	}
	var id string
	return eachRow(rows, func() error {
		err := rows.Scan(&id)
		if c := first[unescape(id)]; c != nil {
			c.verdict = nil
		}
		return err
	})
}
