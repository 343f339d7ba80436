package postgres

import (
	"context"
	"maps"
	"slices"
)

// takeSQL is [magiclink.Rate.Take] in one statement: $2 is the time, $3 is Every and $4 is Burst × Every, in milliseconds. A key
// that the snapshot shows to be used up is refused without a lock and without a write. Otherwise the INSERT decides on the row as it is
// then; if it refuses, the statement returns no "taken", and the next one shows why.
const takeSQL = `WITH known AS (
		SELECT arrival FROM {limits} WHERE key = $1::bytea
	), taken AS (
		INSERT INTO {limits} AS kept (key, arrival)
		SELECT $1::bytea, $2::bigint + $3::bigint
		WHERE NOT EXISTS (
			SELECT FROM known
			WHERE arrival > $2::bigint + $4::bigint - $3::bigint AND arrival <= $2::bigint + $4::bigint + 60000
		)
		ON CONFLICT (key) DO UPDATE SET arrival = CASE
			WHEN kept.arrival > $2::bigint + $4::bigint + 60000 THEN $2::bigint + $4::bigint
			ELSE greatest(kept.arrival, $2::bigint) + $3::bigint
		END
		WHERE kept.arrival <= $2::bigint + $4::bigint - $3::bigint OR kept.arrival > $2::bigint + $4::bigint + 60000
		RETURNING arrival
	)
	SELECT (SELECT arrival FROM taken), (SELECT arrival FROM known)`

const arrivalsSQL = "SELECT key, arrival FROM pg_catalog.unnest($1::bytea[]) AS input (key) JOIN {limits} USING (key) WHERE input.key || ''::bytea = input.key"

// takeManySQL replaces numbers that are still those that were read. It passes over rows that somebody else has changed or locked.
const takeManySQL = `WITH input AS (
		SELECT * FROM unnest($1::bytea[], $2::bigint[], $3::bigint[]) AS input (key, before, after) WHERE input.key || ''::bytea = input.key
	), locked AS (
		SELECT input.key, input.after FROM input CROSS JOIN LATERAL (
			SELECT FROM {limits} AS kept WHERE kept.key = input.key AND kept.arrival = input.before FOR UPDATE SKIP LOCKED
		) AS kept
	), changed AS (
		UPDATE {limits} AS kept SET arrival = locked.after FROM locked WHERE kept.key = locked.key RETURNING kept.key
	), made AS (
		INSERT INTO {limits} (key, arrival) SELECT key, after FROM input WHERE before IS NULL ON CONFLICT (key) DO NOTHING RETURNING key
	)
	SELECT key FROM changed UNION ALL SELECT key FROM made`

// taking is what the calls of one statement do to one key.
type taking struct {
	before *int64 // nil for an unknown key
	after  int64
	calls  []*call
}

// sendTake takes for one call, or for many. For many it reads the numbers, counts in Go, and replaces each number that is still
// the same. Calls for a key whose number is another one by then are repeated alone.
func (s *statements) sendTake(ctx context.Context, q querier, calls []*call) error {
	if len(calls) == 1 {
		return s.takeAlone(ctx, q, calls[0])
	}
	takings, err := s.readArrivals(ctx, q, calls)
	if err != nil {
		return err
	}
	for _, c := range calls {
		t := takings[c.id]
		t.after, c.wait = c.rate.Take(t.after, c.at)
		c.alone = false
	}
	maps.DeleteFunc(takings, func(_ string, t *taking) bool { return t.before != nil && *t.before == t.after })
	if len(takings) == 0 {
		return nil
	}
	if err := s.writeArrivals(ctx, q, takings); err != nil {
		return err
	}
	for _, t := range takings { // those that are left
		for _, c := range t.calls {
			c.alone = true
		}
	}
	return nil
}

func (s *statements) readArrivals(ctx context.Context, q querier, calls []*call) (map[string]*taking, error) {
	takings := make(map[string]*taking, len(calls))
	keys := make([][]byte, 0, len(calls))
	for _, c := range calls {
		if takings[c.id] == nil {
			takings[c.id] = &taking{}
			keys = append(keys, []byte(c.id))
		}
		takings[c.id].calls = append(takings[c.id].calls, c)
	}
	rows, err := q.Query(ctx, s.arrivals, keys)
	if err != nil {
		return nil, err
	}
	return takings, eachRow(rows, func() error {
		var key []byte
		before := new(int64)
		err := scan(rows, &key, before)
		if t := takings[string(key)]; t != nil {
			t.before, t.after = before, *before
		}
		return err
	})
}

// writeArrivals removes from the map what it has written. The order of the keys keeps two replicas from waiting for each other.
func (s *statements) writeArrivals(ctx context.Context, q querier, takings map[string]*taking) error {
	n := len(takings)
	keys, befores, afters := make([][]byte, 0, n), make([]*int64, 0, n), make([]int64, 0, n)
	for _, key := range slices.Sorted(maps.Keys(takings)) {
		t := takings[key]
		keys, befores, afters = append(keys, []byte(key)), append(befores, t.before), append(afters, t.after)
	}
	rows, err := q.Query(ctx, s.takeMany, keys, befores, afters)
	if err != nil {
		return err
	}
	var key []byte
	return eachRow(rows, func() error {
		err := scan(rows, &key)
		delete(takings, string(key))
		return err
	})
}

// takeAlone repeats the statement if it has lost a race.
func (s *statements) takeAlone(ctx context.Context, q querier, c *call) error {
	for range attempts {
		taken, known, err := s.take(ctx, q, c)
		if err != nil {
			return err
		}
		if c.wait = 0; taken != nil {
			return nil
		}
		if known != nil {
			if _, c.wait = c.rate.Take(*known, c.at); c.wait > 0 {
				return nil
			}
		}
	}
	c.verdict = failed("take", errKeepsChanging)
	return nil
}

// take returns the arrival after a take that was granted, and the arrival before.
func (s *statements) take(ctx context.Context, q querier, c *call) (taken, known *int64, err error) {
	every := c.rate.Every.Milliseconds()
	rows, err := q.Query(ctx, s.takeOne, []byte(c.id), c.at.UnixMilli(), every, every*int64(c.rate.Burst))
	if err != nil {
		return nil, nil, err
	}
	err = eachRow(rows, func() error { return rows.Scan(&taken, &known) })
	return taken, known, err
}
