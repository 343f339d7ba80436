package sqlite

import (
	"context"
	"fmt"
	"time"
)

// purgeBatch bounds how many records one transaction removes, and with that how long other writes wait for it.
const purgeBatch = 200

const (
	selectOldest = "(SELECT id FROM magiclink_links WHERE expires_at < ? ORDER BY expires_at, id LIMIT ?)"
	purgeUses    = "DELETE FROM magiclink_uses WHERE id IN " + selectOldest
	purgeRecords = "DELETE FROM magiclink_links WHERE id IN " + selectOldest
)

// Purge removes at most limit records whose ExpiresAt is before the given time and returns how many it removed.
// It works in small transactions between which other writes take their turn. When it fails after some of them, for
// example because the context has ended, it returns the error together with the number of records that are gone.
func (s *Store) Purge(ctx context.Context, before time.Time, limit int) (int, error) {
	if limit < 1 {
		return 0, fmt.Errorf("magiclink/sqlite: purge: the limit is %d, it must be at least 1", limit)
	}
	removed := 0
	for removed < limit {
		want := min(limit-removed, purgeBatch)
		n, err := s.purge(ctx, before, want)
		if err != nil {
			return removed, err
		}
		removed += n
		if n < want {
			break
		}
	}
	return removed, nil
}

func (s *Store) purge(ctx context.Context, before time.Time, limit int) (int, error) {
	var removed int // not a named result: a caller that has gone returns while the operation goes on
	err := s.write(ctx, "purge", func(s *session) (verdict, failure error) {
		for _, each := range []*statement{s.purgeUses, s.purge} { // the uses while their links can still be found
			if _, err := each.run(before.UnixMilli(), int64(limit)); err != nil {
				return nil, err
			}
		}
		var err error
		removed, err = s.changes.number()
		return nil, err
	})
	if err != nil {
		return 0, err
	}
	return removed, nil
}
