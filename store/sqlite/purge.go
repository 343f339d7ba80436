package sqlite

import (
	"context"
	"fmt"
	"time"
)

// purgeBatch bounds how many records one transaction looks at, and with that how long other writes wait for a purge.
const purgeBatch = 200

// purge_at is the column by which a purge finds records. It is never later than [magiclink.Record.End], and it is the end
// itself unless the link was used: a use changes no row of magiclink_links, so purge_at stays at the link's expiry then. The
// first purge after the expiry moves purge_at to the end of the session, and no purge looks at the record before that.
const (
	// duePurge selects the records that are due, at most ?2 of them.
	duePurge = "(SELECT id FROM magiclink_links WHERE purge_at < ?1 ORDER BY purge_at, id LIMIT ?2)"

	// sessionEnd is NULL if the link was not used.
	sessionEnd = `((SELECT consumed_at FROM magiclink_uses WHERE magiclink_uses.id = magiclink_links.id) + session_timeout * 1000)`

	postponePurge = "UPDATE magiclink_links SET purge_at = " + sessionEnd + `
		WHERE id IN ` + duePurge + " AND revoked_at IS NULL AND " + sessionEnd + " >= ?1"
	purgeUses  = "DELETE FROM magiclink_uses WHERE id IN " + duePurge
	purgeLinks = "DELETE FROM magiclink_links WHERE id IN " + duePurge
)

// Purge removes at most limit records whose [magiclink.Record.End] is before the given time and returns how many it removed;
// fewer than limit means that none was left. A limit below 1 is an error.
//
// When no record is left, Purge also forgets idle keys (see [magiclink.Limiter]).
//
// Purge works in small transactions, and other writes take their turn between them. When Purge fails after some of them, for
// example because the context has ended, it returns the error together with the number of records that are gone.
func (s *Store) Purge(ctx context.Context, before time.Time, limit int) (int, error) {
	removed, err := purge(before, limit, func(run operation) error { return s.write(ctx, "purge", run) })
	if err == nil && removed < limit {
		err = s.forgetIdle(ctx, before)
	}
	return removed, err
}

// purge calls write once for each of its steps.
func purge(before time.Time, limit int, write func(operation) error) (int, error) {
	if limit < 1 {
		return 0, fmt.Errorf("magiclink/sqlite: purge: the limit is %d: it must be at least 1", limit)
	}
	removed := 0
	for more := true; more && removed < limit; {
		step, err := purgeOnce(before, min(limit-removed, purgeBatch), write)
		if err != nil {
			return removed, err
		}
		removed, more = removed+step.removed, step.more
	}
	return removed, nil
}

// purged says what one step of a purge has done.
type purged struct {
	removed int
	more    bool // records may be left that are due
}

func purgeOnce(before time.Time, limit int, write func(operation) error) (purged, error) {
	var done purged // not a named result: a caller that has left returns while the operation goes on
	err := write(func(s *statements) (verdict, failure error) {
		var err error
		done, err = s.purgeStep(before.UnixMilli(), limit)
		return nil, err
	})
	if err != nil {
		return purged{}, err
	}
	return done, nil
}

// purgeStep looks at the first purgeBatch records that are due. It postpones those whose session still lives, and removes at
// most limit of the others, which have ended. If it removed as many as it could, it has not seen whether more are due.
func (s *statements) purgeStep(before int64, limit int) (purged, error) {
	postponed, err := s.change(s.postponePurge, before, purgeBatch)
	if err != nil {
		return purged{}, err
	}
	limit = min(limit, purgeBatch-postponed) // the records that are now first in order and were among those looked at
	if limit == 0 {
		return purged{more: true}, nil
	}
	if _, err := s.change(s.purgeUses, before, limit); err != nil { // before their links, by which they are found
		return purged{}, err
	}
	removed, err := s.change(s.purgeLinks, before, limit)
	return purged{removed: removed, more: removed == limit}, err
}

// change runs a statement on at most limit records that are due, and returns how many rows it has changed.
func (s *statements) change(statement *statement, before int64, limit int) (int, error) {
	if _, err := statement.run(before, int64(limit)); err != nil {
		return 0, err
	}
	return s.changes.number()
}
