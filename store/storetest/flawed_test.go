package storetest_test

import (
	"context"
	"errors"
	"runtime"
	"strings"
	"sync"
	"time"

	"github.com/magiclink-go/magiclink"
)

// flaw names one thing that a flawed store does wrong.
type flaw string

// flawed is a store with at most one flaw: a plain one, with every flaw at the place where somebody would make it.
type flawed struct {
	flaw    flaw
	mu      sync.Mutex
	records map[string]magiclink.Record
	uses    map[string]time.Time // of records that were purged
}

func newFlawed(f flaw) *flawed {
	return &flawed{flaw: f, records: make(map[string]magiclink.Record), uses: make(map[string]time.Time)}
}

func (s *flawed) has(f flaw) bool { return s.flaw == f }

// ended returns the context's error, or the one that the flaws about contexts put in its place.
func (s *flawed) ended(ctx context.Context, method string) error {
	err := ctx.Err()
	switch {
	case s.has(flaw(method + " ignores an ended context")):
		return nil
	case err != nil && s.has("an ended context gets an error of its own"):
		return errors.New("cancelled")
	case err != nil && s.has("an ended context has an unknown outcome"):
		return errors.Join(magiclink.ErrUnknownOutcome, err)
	}
	return err
}

func (s *flawed) cut(t time.Time) time.Time {
	if t.IsZero() {
		if s.has("the zero time becomes the zero of Unix") {
			return time.Unix(0, 0).UTC()
		}
		return time.Time{}
	}
	switch s.flaw {
	case "times are kept to the second":
		return t.UTC().Truncate(time.Second)
	case "times are rounded to the millisecond":
		return t.UTC().Round(time.Millisecond)
	case "times are kept to the nanosecond":
		return t.UTC()
	case "times come back in another location":
		return time.UnixMilli(t.UnixMilli()).In(time.FixedZone("local", 3600))
	}
	return time.UnixMilli(t.UnixMilli()).UTC()
}

func (s *flawed) stored(r magiclink.Record) magiclink.Record {
	r.CreatedAt, r.ExpiresAt = s.cut(r.CreatedAt), s.cut(r.ExpiresAt)
	r.ConsumedAt, r.RevokedAt = s.cut(r.ConsumedAt), s.cut(r.RevokedAt)
	r.SessionTimeout = r.SessionTimeout.Truncate(time.Second)
	switch s.flaw {
	case "a field is dropped":
		r.ExternalBusinessID = ""
	case "the session timeout is kept in minutes":
		r.SessionTimeout = r.SessionTimeout.Truncate(2 * time.Hour)
	case "the session timeout is kept to the nanosecond":
		r.SessionTimeout += time.Millisecond
	case "text is trimmed":
		r.Email = strings.TrimSpace(r.Email)
	case "text ends at a NUL":
		r.Email, _, _ = strings.Cut(r.Email, "\x00")
	case "Create drops the events":
		r.ConsumedAt, r.RevokedAt = time.Time{}, time.Time{}
	}
	return r
}

func (s *flawed) key(id string) string {
	if s.has("ids match without regard to case") {
		return strings.ToLower(id)
	}
	return id
}

// pause opens the window between a check and the write that relies on it.
func (s *flawed) pause() {
	s.mu.Unlock()
	for range 100 {
		runtime.Gosched()
	}
	s.mu.Lock()
}

func (s *flawed) Create(ctx context.Context, r magiclink.Record) error {
	if err := s.ended(ctx, "Create"); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	old, taken := s.records[s.key(r.ID)]
	if s.has("Create checks, then writes") {
		s.pause()
	}
	switch {
	case taken && s.has("Create overwrites"):
	case taken && s.has("Create revives a used link") && !old.ConsumedAt.IsZero():
	case taken && s.has("Create overwrites and reports ErrExists"):
		s.records[s.key(r.ID)] = s.stored(r)
		return magiclink.ErrExists
	case taken && s.has("Create is silent about an id that is taken"):
		return nil
	case taken:
		return magiclink.ErrExists
	}
	if s.has("Purge leaves the use behind") && r.ConsumedAt.IsZero() {
		r.ConsumedAt = s.uses[s.key(r.ID)]
	}
	s.records[s.key(r.ID)] = s.stored(r)
	return nil
}

func (s *flawed) Get(ctx context.Context, id string) (magiclink.Record, error) {
	if err := s.ended(ctx, "Get"); err != nil {
		return magiclink.Record{}, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	r, found := s.records[s.key(id)]
	switch {
	case !found && s.has("Get returns an empty record for an unknown id"):
		return r, nil
	case !found && s.has("Get names an unknown id in the record"):
		return magiclink.Record{ID: id}, magiclink.ErrNotFound
	case !found:
		return r, magiclink.ErrNotFound
	case s.has("Get hides used links") && !r.ConsumedAt.IsZero():
		return magiclink.Record{}, magiclink.ErrNotFound
	}
	return r, nil
}

func (s *flawed) Consume(ctx context.Context, id string, at time.Time) (magiclink.Record, error) {
	if err := s.ended(ctx, "Consume"); err != nil {
		return magiclink.Record{}, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	r, err := s.verdict(id, at)
	if err != nil {
		switch {
		case s.has("a refused Consume returns the record"):
			return r, err
		case s.has("a late Consume uses up the link") && errors.Is(err, magiclink.ErrExpired):
			r.ConsumedAt = s.cut(at)
			s.records[s.key(id)] = r
		case s.has("a second Consume renews the time") && errors.Is(err, magiclink.ErrConsumed):
			r.ConsumedAt = s.cut(at)
			s.records[s.key(id)] = r
		}
		return magiclink.Record{}, err
	}
	if s.has("Consume checks, then writes") {
		s.pause()
		r = s.records[s.key(id)]
	}
	before := r
	r.ConsumedAt = s.cut(at)
	if s.has("Consume takes the time from its own clock") {
		r.ConsumedAt = s.cut(time.Now())
	}
	if !s.has("Consume persists nothing") {
		s.records[s.key(id)] = r
	}
	if s.has("Consume returns the record as it was") {
		return before, nil
	}
	return r, nil
}

// verdict returns the record and why it cannot be consumed.
func (s *flawed) verdict(id string, at time.Time) (magiclink.Record, error) {
	r, found := s.records[s.key(id)]
	now := s.cut(at)
	switch s.flaw {
	case "expiry is judged by the store's own clock":
		now = s.cut(time.Now())
	case "times are compared before they are cut":
		now = at.UTC().Round(0).Add(time.Millisecond - 1)
	}
	revoked, consumed, expired := !r.RevokedAt.IsZero(), !r.ConsumedAt.IsZero(), !now.Before(r.ExpiresAt)
	switch s.flaw {
	case "Consume ignores expiry":
		expired = false
	case "Consume ignores revocation":
		revoked = false
	case "the link lives through the moment of expiry":
		expired = now.After(r.ExpiresAt)
	case "the link dies a millisecond early":
		expired = now.Add(time.Millisecond).After(r.ExpiresAt) || expired
		expired = expired || now.Add(time.Millisecond).Equal(r.ExpiresAt)
	}
	switch {
	case !found:
		return r, magiclink.ErrNotFound
	case s.has("ErrExpired comes first") && expired:
		return r, magiclink.ErrExpired
	case s.has("ErrConsumed comes before ErrRevoked") && consumed:
		return r, magiclink.ErrConsumed
	case s.has("ErrExpired comes before ErrConsumed") && !revoked && expired:
		return r, magiclink.ErrExpired
	case revoked:
		return r, magiclink.ErrRevoked
	case consumed:
		return r, magiclink.ErrConsumed
	case expired:
		return r, magiclink.ErrExpired
	}
	return r, nil
}

func (s *flawed) Revoke(ctx context.Context, id string, at time.Time) error {
	if err := s.ended(ctx, "Revoke"); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	r, found := s.records[s.key(id)]
	switch {
	case !found && s.has("Revoke of an unknown id succeeds"):
		return nil
	case !found && s.has("Revoke of an unknown id leaves a mark"):
		s.records[s.key(id)] = magiclink.Record{ID: id, RevokedAt: s.cut(at)}
		return magiclink.ErrNotFound
	case !found:
		return magiclink.ErrNotFound
	case s.has("Revoke refuses used links") && !r.ConsumedAt.IsZero():
		return magiclink.ErrConsumed
	case s.has("Revoke refuses expired links") && !at.Before(r.ExpiresAt):
		return magiclink.ErrExpired
	case s.has("Revoke refuses revoked links") && !r.RevokedAt.IsZero():
		return magiclink.ErrRevoked
	case !r.RevokedAt.IsZero() && !s.has("Revoke renews the time"):
		return nil
	}
	if s.has("Revoke writes back what it read before") {
		s.pause()
	}
	r.RevokedAt = s.cut(at)
	if s.has("Revoke clears the use") {
		r.ConsumedAt = time.Time{}
	}
	s.records[s.key(id)] = r
	return nil
}

func (s *flawed) Purge(ctx context.Context, before time.Time, limit int) (int, error) {
	if err := s.ended(ctx, "Purge"); err != nil {
		return 0, err
	}
	if limit < 1 && !s.has("Purge takes any limit") {
		return 0, errors.New("limit below 1")
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	removed := 0
	for key, r := range s.records {
		if removed == limit && !s.has("Purge ignores the limit") {
			break
		}
		if !s.purgeable(r, s.cut(before)) {
			continue
		}
		s.uses[key] = r.ConsumedAt
		delete(s.records, key)
		removed++
		if s.has("Purge stops early") {
			break
		}
	}
	switch {
	case s.has("Purge reports the limit"):
		return limit, nil
	case s.has("Purge reports nothing"):
		return 0, nil
	case s.has("Purge removes more than it reports") && removed == limit:
		clear(s.records)
	}
	return removed, nil
}

func (s *flawed) purgeable(r magiclink.Record, before time.Time) bool {
	expired := r.ExpiresAt.Before(before)
	switch s.flaw {
	case "Purge removes nothing":
		return false
	case "Purge removes used links":
		return expired || !r.ConsumedAt.IsZero()
	case "Purge removes revoked links":
		return expired || !r.RevokedAt.IsZero()
	case "Purge keeps used links":
		return expired && r.ConsumedAt.IsZero()
	case "Purge removes everything":
		return true
	case "Purge takes the moment itself":
		return !before.Before(r.ExpiresAt)
	case "Purge goes by its own clock":
		return r.ExpiresAt.Before(time.Now())
	}
	return expired
}
