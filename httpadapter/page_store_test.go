package httpadapter_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/magiclink-go/magiclink"
)

// tapStore is a store that counts the calls, and does as the test says before and after them.
type tapStore struct {
	magiclink.Store
	mu     sync.Mutex
	count  int
	tamper func(*magiclink.Record)     // changes what is stored
	before func(context.Context) error // instead of Get and Consume, if it fails
	after  func() error                // what Consume says when it has succeeded
	revoke error                       // instead of Revoke
}

func (s *tapStore) Create(ctx context.Context, record magiclink.Record) error {
	s.mu.Lock()
	tamper := s.tamper
	s.mu.Unlock()
	if tamper != nil {
		tamper(&record)
	}
	return s.Store.Create(ctx, record)
}

func (s *tapStore) enter(ctx context.Context) error {
	s.mu.Lock()
	before := s.before
	s.count++
	s.mu.Unlock()
	if before == nil {
		return nil
	}
	return before(ctx)
}

func (s *tapStore) Get(ctx context.Context, id string) (magiclink.Record, error) {
	if err := s.enter(ctx); err != nil {
		return magiclink.Record{}, err
	}
	return s.Store.Get(ctx, id)
}

func (s *tapStore) Consume(ctx context.Context, id string, at time.Time, by string) (magiclink.Record, error) {
	if err := s.enter(ctx); err != nil {
		return magiclink.Record{}, err
	}
	record, err := s.Store.Consume(ctx, id, at, by)
	s.mu.Lock()
	after := s.after
	s.mu.Unlock()
	if err == nil && after != nil {
		if err := after(); err != nil {
			return magiclink.Record{}, fmt.Errorf("after the commit: %w", err)
		}
	}
	return record, err
}

func (s *tapStore) Revoke(ctx context.Context, id string, at time.Time) error {
	s.mu.Lock()
	failure := s.revoke
	s.mu.Unlock()
	if failure != nil {
		return failure
	}
	return s.Store.Revoke(ctx, id, at)
}

func (s *tapStore) failRevoke(fail bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.revoke = nil; fail {
		s.revoke = errors.New("the connection is gone")
	}
}

// failAfter lets so many calls pass.
func (s *tapStore) failAfter(calls int32) {
	var done atomic.Int32
	s.set(func(context.Context) error {
		if done.Add(1) > calls {
			return errors.New("the connection is gone")
		}
		return nil
	}, nil)
}

// set changes what the store does, and calls counts the calls for links since it was made.
func (s *tapStore) set(before func(context.Context) error, after func() error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.before, s.after = before, after
}

func (s *tapStore) calls() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.count
}
