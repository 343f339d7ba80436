package postgres

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
)

// purgeBatch bounds how many records one statement removes, and with that how long it keeps their rows locked.
const purgeBatch = 500

// Purge removes at most limit records whose [magiclink.Record.End] is before the given time and returns how many it
// removed. It works in small transactions and passes over rows that another transaction has locked; in the end it waits for those.
// Several processes may purge at the same time and share the work. When no record is left, Purge also forgets idle keys (see
// [magiclink.Limiter]).
//
// When Purge fails after some of them, for example because the context has ended, it returns the error together with the
// number of records that are gone. If the error matches [magiclink.ErrUnknownOutcome], another 500 at most may be gone.
func (s *Store) Purge(ctx context.Context, before time.Time, limit int) (int, error) {
	if !s.usable() {
		return 0, failed("purge", errNoStore)
	}
	if limit < 1 {
		return 0, failed("purge", fmt.Errorf("the limit is %d: pass a limit of at least 1", limit))
	}
	removed, err := purge(limit, func(c *call) error {
		c.send, c.at = s.sql.sendPurge, truncate(before)
		return s.do(ctx, "purge", s.single, c)
	})
	if err == nil && removed < limit {
		err = s.forgetIdle(ctx, before)
	}
	return removed, err
}

// purge makes calls until the limit is reached or nothing is left.
//
// A call that waits for a lock asks for one record alone: while it waits it holds no lock that others wait for.
func purge(limit int, do func(*call) error) (removed int, err error) {
	waits := false
	for removed < limit {
		c := &call{limit: min(limit-removed, purgeBatch), waits: waits}
		if waits {
			c.limit = 1
		}
		if err := do(c); err != nil {
			return removed, err
		}
		removed += c.n
		if waits && c.due == 0 {
			break
		}
		waits = !waits && c.due < c.limit // after one that was locked there may be free ones
	}
	return removed, nil
}

func (s *statements) sendPurge(ctx context.Context, q querier, calls []*call) error {
	c := calls[0]
	query := s.purge
	if c.waits {
		query = s.purgeLocked
	}
	rows, err := q.Query(ctx, query, freshPlan(q), c.at.UnixMilli(), c.limit)
	if err != nil {
		return err
	}
	return eachRow(rows, func() error { return rows.Scan(&c.due, &c.n) })
}

// freshPlan makes the server plan a statement anew: the plan that PostgreSQL keeps of a prepared statement expects a tenth of the
// table for any LIMIT, and may read all of the table.
func freshPlan(q querier) pgx.QueryExecMode {
	if mode := q.Conn().Config().DefaultQueryExecMode; mode == pgx.QueryExecModeSimpleProtocol {
		return mode
	}
	return pgx.QueryExecModeExec
}
