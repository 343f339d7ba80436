package magiclinktest

import (
	"context"
	"sync"
	"time"

	"github.com/magiclink-go/magiclink"
	"github.com/magiclink-go/magiclink/store/memory"
)

// Store is a store in memory which can have an outage. It is a [magiclink.Lister], a [magiclink.SubjectRevoker], a [magiclink.Limiter]
// and a [magiclink.LimitPeeker]. Make one with [NewStore]: the methods of the zero value return an error. It is safe for concurrent use.
type Store struct {
	inner *memory.Store

	mu   sync.Mutex
	down error
}

var (
	_ magiclink.Store          = (*Store)(nil)
	_ magiclink.Lister         = (*Store)(nil)
	_ magiclink.SubjectRevoker = (*Store)(nil)
	_ magiclink.Limiter        = (*Store)(nil)
	_ magiclink.LimitPeeker    = (*Store)(nil)
)

// NewStore returns an empty store.
func NewStore() *Store { return &Store{inner: memory.New()} }

// Fail lets every call from now on fail with the error and change nothing. Nil ends the outage.
func (s *Store) Fail(err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.down = err
}

func (s *Store) outage() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.down
}

// Ping reports an outage.
func (s *Store) Ping(context.Context) error { return s.outage() }

// Create implements [magiclink.Store].
func (s *Store) Create(ctx context.Context, record magiclink.Record) error {
	if err := s.outage(); err != nil {
		return err
	}
	return s.inner.Create(ctx, record)
}

// Get implements [magiclink.Store].
func (s *Store) Get(ctx context.Context, id string) (magiclink.Record, error) {
	if err := s.outage(); err != nil {
		return magiclink.Record{}, err
	}
	return s.inner.Get(ctx, id)
}

// Consume implements [magiclink.Store].
func (s *Store) Consume(ctx context.Context, id string, at time.Time, by string) (magiclink.Record, error) {
	if err := s.outage(); err != nil {
		return magiclink.Record{}, err
	}
	return s.inner.Consume(ctx, id, at, by)
}

// Revoke implements [magiclink.Store].
func (s *Store) Revoke(ctx context.Context, id string, at time.Time) error {
	if err := s.outage(); err != nil {
		return err
	}
	return s.inner.Revoke(ctx, id, at)
}

// Purge implements [magiclink.Store].
func (s *Store) Purge(ctx context.Context, before time.Time, limit int) (int, error) {
	if err := s.outage(); err != nil {
		return 0, err
	}
	return s.inner.Purge(ctx, before, limit)
}

// List implements [magiclink.Lister].
func (s *Store) List(ctx context.Context, query magiclink.ListQuery) ([]magiclink.Record, error) {
	if err := s.outage(); err != nil {
		return nil, err
	}
	return s.inner.List(ctx, query)
}

// RevokeSubject implements [magiclink.SubjectRevoker].
func (s *Store) RevokeSubject(ctx context.Context, subject magiclink.Subject, issuedUpTo, at time.Time) (int, error) {
	if err := s.outage(); err != nil {
		return 0, err
	}
	return s.inner.RevokeSubject(ctx, subject, issuedUpTo, at)
}

// Take implements [magiclink.Limiter].
func (s *Store) Take(ctx context.Context, key string, rate magiclink.Rate, at time.Time) (time.Duration, error) {
	if err := s.outage(); err != nil {
		return 0, err
	}
	return s.inner.Take(ctx, key, rate, at)
}

// Peek implements [magiclink.LimitPeeker].
func (s *Store) Peek(ctx context.Context, key string) (int64, error) {
	if err := s.outage(); err != nil {
		return 0, err
	}
	return s.inner.Peek(ctx, key)
}

// Reset implements [magiclink.Limiter].
func (s *Store) Reset(ctx context.Context, key string) error {
	if err := s.outage(); err != nil {
		return err
	}
	return s.inner.Reset(ctx, key)
}
