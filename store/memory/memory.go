// Package memory keeps links in the memory of one process. It is the reference implementation of [magiclink.Store]: read
// it when the contract leaves a question open. Use it in tests and demonstrations.
//
// Links do not survive the process, and two processes share nothing: a link that one process issued is unknown to the
// other. A service that restarts, or that runs in several processes, needs another store.
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

// shardCount is the number of maps that the records are spread over. Each map has a lock of its own, so that a Purge
// delays only the calls for one part in 256 of the records at a time.
const shardCount = 256

var (
	errNoStore  = errors.New("the Store is not initialized: use New")
	errZeroTime = errors.New("the time is zero: pass the current time")
)

// Store is a [magiclink.Store] in memory. All its methods may be called from any number of goroutines.
// The zero Store is not usable: each of its methods returns an error. Use [New].
type Store struct {
	seed   maphash.Seed
	shards [shardCount]shard
	limits limits
}

type shard struct {
	mu      sync.Mutex
	records map[string]*kept // by id
}

// put keeps a record that is canonical.
func (sh *shard) put(record magiclink.Record) {
	k := keep(record)
	sh.records[k.id()] = k
}

var _ magiclink.Store = (*Store)(nil)

// New returns an empty store. The store holds no resource but memory and runs no goroutine: there is nothing to close.
//
// The effect of a call that succeeded is visible to every later call in this process, and is lost when the process ends.
// Records stay until [Store.Purge] removes them.
func New() *Store {
	s := &Store{seed: maphash.MakeSeed()}
	for i := range s.shards {
		s.shards[i].records = make(map[string]*kept)
	}
	s.limits.arrivals = make(map[string]int64)
	return s
}

// Create stores a new record with all its fields. It returns [magiclink.ErrExists] if the id is taken.
func (s *Store) Create(ctx context.Context, record magiclink.Record) error {
	if err := s.usable(ctx); err != nil {
		return failed("create", err)
	}
	sh := s.lock(record.ID)
	defer sh.mu.Unlock()
	if _, taken := sh.records[record.ID]; taken {
		return magiclink.ErrExists
	}
	sh.put(record.Canonical())
	return nil
}

// Get returns the record with this id, whatever its state. It returns [magiclink.ErrNotFound] if there is none.
func (s *Store) Get(ctx context.Context, id string) (magiclink.Record, error) {
	if err := s.usable(ctx); err != nil {
		return magiclink.Record{}, failed("get", err)
	}
	sh := s.lock(id)
	defer sh.mu.Unlock()
	k, found := sh.records[id]
	if !found {
		return magiclink.Record{}, magiclink.ErrNotFound
	}
	return k.record(), nil
}

// Consume sets ConsumedAt and ConsumedBy of the record and returns the record with both. Of racing calls with different by
// exactly one succeeds. A call with the same non-empty by as the call that consumed the record succeeds again, changes
// nothing and returns the record as it is.
//
// It returns [magiclink.ErrNotFound], [magiclink.ErrRevoked], [magiclink.ErrConsumed] or [magiclink.ErrExpired]: the first
// one that applies. The zero time is an error and changes nothing.
func (s *Store) Consume(ctx context.Context, id string, at time.Time, by string) (magiclink.Record, error) {
	if err := s.usable(ctx); err != nil {
		return magiclink.Record{}, failed("consume", err)
	}
	at = truncate(at)
	if at.IsZero() {
		return magiclink.Record{}, failed("consume", errZeroTime)
	}
	sh := s.lock(id)
	defer sh.mu.Unlock()
	k, found := sh.records[id]
	if !found {
		return magiclink.Record{}, magiclink.ErrNotFound
	}
	record := k.record()
	if err := record.Verdict(at, by); err != nil {
		return magiclink.Record{}, err
	}
	if record.ConsumedAt.IsZero() {
		record.ConsumedAt, record.ConsumedBy = at, by
		sh.put(record)
	}
	return record, nil
}

// Revoke sets RevokedAt of the record, whether or not the link was used or has expired. Revoking again succeeds and keeps
// the first time. It returns [magiclink.ErrNotFound] if there is no such record. The zero time is an error and changes
// nothing.
func (s *Store) Revoke(ctx context.Context, id string, at time.Time) error {
	if err := s.usable(ctx); err != nil {
		return failed("revoke", err)
	}
	at = truncate(at)
	if at.IsZero() {
		return failed("revoke", errZeroTime)
	}
	sh := s.lock(id)
	defer sh.mu.Unlock()
	k, found := sh.records[id]
	if !found {
		return magiclink.ErrNotFound
	}
	k.revoke(at)
	return nil
}

// Purge removes at most limit records whose [magiclink.Record.End] is before the given time and returns how many it
// removed. It looks at every record and locks one part in 256 of them at a time. It also forgets every idle key. Purge does not
// stop when the context ends during the call.
func (s *Store) Purge(ctx context.Context, before time.Time, limit int) (int, error) {
	if err := s.usable(ctx); err != nil {
		return 0, failed("purge", err)
	}
	if limit < 1 {
		return 0, failed("purge", fmt.Errorf("the limit is %d: pass a limit of at least 1", limit))
	}
	before = truncate(before)
	s.limits.forgetIdle(before)
	removed := 0
	for i := range s.shards {
		if removed == limit {
			break
		}
		removed += s.shards[i].purge(before, limit-removed)
	}
	return removed, nil
}

func (sh *shard) purge(before time.Time, limit int) int {
	sh.mu.Lock()
	defer sh.mu.Unlock()
	removed := 0
	for id, k := range sh.records {
		if removed == limit {
			break
		}
		if k.record().End().Before(before) {
			delete(sh.records, id)
			removed++
		}
	}
	return removed
}

// usable returns why a call cannot begin. It runs before any lock is taken, since a context may panic or block.
func (s *Store) usable(ctx context.Context) error {
	if s == nil || s.shards[0].records == nil {
		return errNoStore
	}
	return ctx.Err()
}

// lock locks the shard of this id and returns it.
func (s *Store) lock(id string) *shard {
	sh := &s.shards[maphash.String(s.seed, id)%shardCount]
	sh.mu.Lock()
	return sh
}

// truncate returns the time in the form of [magiclink.Record.Canonical].
func truncate(t time.Time) time.Time { return fromMilli(t.UnixMilli()) }

func failed(method string, cause error) error {
	return fmt.Errorf("magiclink/memory: %s: %w", method, cause)
}
