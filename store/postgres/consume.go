package postgres

import (
	"context"
	"errors"

	"github.com/magiclink-go/magiclink"
)

// attempts bounds how often a consumption is repeated whose row changed between its two statements.
const attempts = 100

var errKeepsChanging = errors.New("the row of the link keeps changing: try again; if that does not help, look for a trigger of the table that keeps the row as it is")

// consumption is what a statement says about one link.
type consumption struct {
	used   bool             // by this statement
	record magiclink.Record // as it was before, or is now
}

// sendConsume consumes one link, or those of many calls. Of several calls for one link the first is sent, and its answer
// decides about the others.
func (s *statements) sendConsume(ctx context.Context, q querier, calls []*call) error {
	if len(calls) == 1 {
		return s.consumeOne(ctx, q, calls[0])
	}
	ids := make([]string, 0, len(calls))
	ats, bys := make([]int64, 0, len(calls)), make([][]byte, 0, len(calls))
	first := make(map[string]*call, len(calls))
	for _, c := range calls {
		if first[c.id] != nil || unknownForm(c.id) {
			continue
		}
		first[c.id] = c
		ids, ats, bys = append(ids, escape(c.id)), append(ats, c.at.UnixMilli()), append(bys, []byte(c.by))
	}
	rows, err := q.Query(ctx, s.consumeMany, ids, ats, bys)
	if err != nil {
		return err
	}
	found := make(map[string]consumption, len(ids))
	err = eachRow(rows, func() (err error) {
		var answer consumption
		answer.record, err = scanRecord(rows, &answer.used)
		found[answer.record.ID] = answer
		return err
	})
	if err != nil {
		return err
	}
	for _, c := range calls {
		answer, ok := found[c.id]
		answer.used = answer.used && first[c.id] == c
		c.alone = ok && !c.decide(answer)
		if !ok {
			c.verdict = magiclink.ErrNotFound
		}
	}
	return nil
}

// consumeOne asks for the record if it could not be consumed. The record may have become usable in between, for example because
// a transaction that had consumed it was rolled back: then consumeOne begins again.
func (s *statements) consumeOne(ctx context.Context, q querier, c *call) error {
	if c.verdict = magiclink.ErrNotFound; unknownForm(c.id) {
		return nil
	}
	id := escape(c.id)
	for range attempts {
		used, err := readOne(ctx, q, &c.record, (*row).issued, s.consume, id, c.at.UnixMilli(), []byte(c.by))
		if err != nil {
			return err
		}
		if used {
			c.record.ID, c.record.ConsumedAt, c.record.ConsumedBy = c.id, c.at, c.by
			c.verdict = nil
			return nil
		}
		found, err := readOne(ctx, q, &c.record, (*row).columns, s.get, id)
		if err != nil {
			return err
		}
		if !found { // whatever the attempt before has found
			c.verdict = magiclink.ErrNotFound
			return nil
		}
		if c.decide(consumption{record: c.record}) {
			return nil
		}
	}
	c.verdict = failed("consume", errKeepsChanging)
	return nil
}

// decide sets what came of the call. It reports false if the answer does not say: the link was locked, or the answer shows
// the row before a change that refused the consumption.
func (c *call) decide(answer consumption) bool {
	c.record, c.verdict = answer.record, nil
	if answer.used {
		c.record.ConsumedAt, c.record.ConsumedBy = c.at, c.by
		return true
	}
	c.verdict = answer.record.Verdict(c.at, c.by)
	return c.verdict != nil || !answer.record.ConsumedAt.IsZero()
}
