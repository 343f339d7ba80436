package magiclink_test

import (
	"bytes"
	"context"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/magiclink-go/magiclink"
	"github.com/magiclink-go/magiclink/store/memory"
	"github.com/magiclink-go/magiclink/store/sqlite"
)

// stores are the stores that the library comes with.
var stores = map[string]func(testing.TB) magiclink.Store{
	"memory": func(testing.TB) magiclink.Store { return memory.New() },
	"sqlite": func(tb testing.TB) magiclink.Store {
		tb.Helper()
		store, err := sqlite.Open(filepath.Join(tb.TempDir(), "links.db"))
		require.NoError(tb, err)
		tb.Cleanup(func() { require.NoError(tb, store.Close()) })
		return store
	},
}

// tapStore is a store that counts the calls, and does as the test says before and after them.
type tapStore struct {
	magiclink.Store
	gets, consumes atomic.Int64

	before func(context.Context) error                             // instead of Get, Consume and Revoke, if it fails
	got    func(magiclink.Record, error) (magiclink.Record, error) // what Get has returned
	used   func(magiclink.Record, error) (magiclink.Record, error) // what Consume has returned
	create func(*magiclink.Record)                                 // changes what is stored
}

func (s *tapStore) Unwrap() magiclink.Store { return s.Store }

func (s *tapStore) Create(ctx context.Context, record magiclink.Record) error {
	if s.create != nil {
		s.create(&record)
	}
	return s.Store.Create(ctx, record)
}

func (s *tapStore) Get(ctx context.Context, id string) (magiclink.Record, error) {
	s.gets.Add(1)
	if s.before != nil {
		if err := s.before(ctx); err != nil {
			return magiclink.Record{}, err
		}
	}
	record, err := s.Store.Get(ctx, id)
	if s.got != nil {
		return s.got(record, err)
	}
	return record, err
}

func (s *tapStore) Consume(ctx context.Context, id string, at time.Time, by string) (magiclink.Record, error) {
	s.consumes.Add(1)
	if s.before != nil {
		if err := s.before(ctx); err != nil {
			return magiclink.Record{}, err
		}
	}
	record, err := s.Store.Consume(ctx, id, at, by)
	if s.used != nil {
		return s.used(record, err)
	}
	return record, err
}

func (s *tapStore) Revoke(ctx context.Context, id string, at time.Time) error {
	if s.before != nil {
		if err := s.before(ctx); err != nil {
			return err
		}
	}
	return s.Store.Revoke(ctx, id, at)
}

// failing is a tapStore.before that fails with the error.
func failing(err error) func(context.Context) error {
	return func(context.Context) error { return err }
}

// calls is how often the store was asked about a link.
func (s *tapStore) calls() int64 { return s.gets.Load() + s.consumes.Load() }

// brokenStore fails every call with one error and counts them.
type brokenStore struct {
	magiclink.Store
	err   error
	calls int
}

func (s *brokenStore) Create(context.Context, magiclink.Record) error { s.calls++; return s.err }
func (s *brokenStore) Get(context.Context, string) (magiclink.Record, error) {
	s.calls++
	return magiclink.Record{}, s.err
}

// lockedBuffer takes what several goroutines write.
type lockedBuffer struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (b *lockedBuffer) Write(text []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.Write(text)
}

func (b *lockedBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.String()
}
