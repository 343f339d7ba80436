// Package memory keeps links in the memory of one process. It is the reference implementation of [magiclink.Store]:
// the one to read when the contract leaves a question open, and the one to use in tests and demonstrations.
//
// Nothing in it survives the process, and two processes share nothing: a link that one of them issued is unknown to
// the other. A service that restarts, or that runs more than once, wants another store.
package memory

import (
	"context"
	"errors"
	"fmt"
	"hash/maphash"
	"sync"
	"time"

	"github.com/magiclink-go/magiclink"
)

// shardCount is how many maps the records are spread over. Purge locks one of them at a time.
const shardCount = 64

// Store is a [magiclink.Store] in memory. All its methods may be called from any number of goroutines.
// The zero Store is not usable; [New] makes one.
type Store struct {
	seed   maphash.Seed
	shards [shardCount]shard
}

type shard struct {
	mu      sync.Mutex
	records map[string]magiclink.Record
}

var _ magiclink.Store = (*Store)(nil)

// New returns an empty store. It holds no resource but memory and runs no goroutine, so there is nothing to close.
//
// What it acknowledges is visible to every later call of this process and is gone when the process ends.
// Records stay until [Store.Purge] removes them.
func New() *Store {
	s := &Store{seed: maphash.MakeSeed()}
	for i := range s.shards {
		s.shards[i].records = make(map[string]magiclink.Record)
	}
	return s
}

// Create stores a new record. It returns [magiclink.ErrExists] if the id is taken.
func (s *Store) Create(ctx context.Context, record magiclink.Record) error {
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("magiclink/memory: create: %w", err)
	}
	sh := s.lock(record.ID)
	defer sh.mu.Unlock()
	if _, taken := sh.records[record.ID]; taken {
		return magiclink.ErrExists
	}
	sh.records[record.ID] = cutRecord(record)
	return nil
}

// Get returns the record with this id, whatever its state. It returns [magiclink.ErrNotFound] if there is none.
func (s *Store) Get(ctx context.Context, id string) (magiclink.Record, error) {
	if err := ctx.Err(); err != nil {
		return magiclink.Record{}, fmt.Errorf("magiclink/memory: get: %w", err)
	}
	sh := s.lock(id)
	defer sh.mu.Unlock()
	record, found := sh.records[id]
	if !found {
		return magiclink.Record{}, magiclink.ErrNotFound
	}
	return record, nil
}

// Consume marks the record as used and returns it as it is afterwards. Of racing calls exactly one succeeds.
// It returns [magiclink.ErrNotFound], [magiclink.ErrRevoked], [magiclink.ErrConsumed] or [magiclink.ErrExpired],
// the first of them that holds. A zero time is refused, for it would leave the record unused.
func (s *Store) Consume(ctx context.Context, id string, at time.Time) (magiclink.Record, error) {
	if err := ctx.Err(); err != nil {
		return magiclink.Record{}, fmt.Errorf("magiclink/memory: consume: %w", err)
	}
	at = cut(at)
	if at.IsZero() {
		return magiclink.Record{}, errors.New("magiclink/memory: consume: the time is zero")
	}
	sh := s.lock(id)
	defer sh.mu.Unlock()
	record, found := sh.records[id]
	switch {
	case !found:
		return magiclink.Record{}, magiclink.ErrNotFound
	case !record.RevokedAt.IsZero():
		return magiclink.Record{}, magiclink.ErrRevoked
	case !record.ConsumedAt.IsZero():
		return magiclink.Record{}, magiclink.ErrConsumed
	case !at.Before(record.ExpiresAt):
		return magiclink.Record{}, magiclink.ErrExpired
	}
	record.ConsumedAt = at
	sh.records[id] = record
	return record, nil
}

// Revoke marks the record as revoked, whether or not it was used or has expired. Revoking again succeeds and keeps the
// first time. It returns [magiclink.ErrNotFound] if there is no such record. A zero time is refused, for it would
// leave the record as it was.
func (s *Store) Revoke(ctx context.Context, id string, at time.Time) error {
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("magiclink/memory: revoke: %w", err)
	}
	at = cut(at)
	if at.IsZero() {
		return errors.New("magiclink/memory: revoke: the time is zero")
	}
	sh := s.lock(id)
	defer sh.mu.Unlock()
	record, found := sh.records[id]
	if !found {
		return magiclink.ErrNotFound
	}
	if record.RevokedAt.IsZero() {
		record.RevokedAt = at
		sh.records[id] = record
	}
	return nil
}

// Purge removes at most limit records whose ExpiresAt is before the given time and returns how many it removed.
// It looks at every record but locks only one part in 64 of them at a time. Once begun it is carried to its end.
func (s *Store) Purge(ctx context.Context, before time.Time, limit int) (int, error) {
	if err := ctx.Err(); err != nil {
		return 0, fmt.Errorf("magiclink/memory: purge: %w", err)
	}
	if limit < 1 {
		return 0, fmt.Errorf("magiclink/memory: purge: the limit is %d, it must be at least 1", limit)
	}
	before = cut(before)
	removed := 0
	for i := range s.shards {
		removed += s.shards[i].purge(before, limit-removed)
	}
	return removed, nil
}

func (sh *shard) purge(before time.Time, limit int) int {
	sh.mu.Lock()
	defer sh.mu.Unlock()
	removed := 0
	for id, record := range sh.records {
		if removed == limit {
			break
		}
		if record.ExpiresAt.Before(before) {
			delete(sh.records, id)
			removed++
		}
	}
	return removed
}

// lock returns the shard that holds this id, locked.
func (s *Store) lock(id string) *shard {
	sh := &s.shards[maphash.String(s.seed, id)%shardCount]
	sh.mu.Lock()
	return sh
}

func cutRecord(r magiclink.Record) magiclink.Record {
	r.SessionTimeout = r.SessionTimeout.Truncate(time.Second)
	r.CreatedAt = cut(r.CreatedAt)
	r.ExpiresAt = cut(r.ExpiresAt)
	r.ConsumedAt = cut(r.ConsumedAt)
	r.RevokedAt = cut(r.RevokedAt)
	return r
}

// cut brings a time to what the contract keeps of it: UTC, whole milliseconds, the rest cut off towards the past.
// The zero time stays the zero time.
func cut(t time.Time) time.Time {
	return time.UnixMilli(t.UnixMilli()).UTC()
}
