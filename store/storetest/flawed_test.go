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

// flawed is a plain store with at most one flaw. Each flaw stands at the place where somebody would make it.
type flawed struct {
	flaw    flaw
	mu      sync.Mutex
	records map[string]magiclink.Record
	ends    map[string]time.Time // what Purge goes by
	uses    map[string]time.Time // when records were consumed that are purged
	marked  map[string]bool      // used or revoked, whatever the times in the record say

	returned int              // how far the flaw that pages by offset has come
	arrivals map[string]int64 // of the keys of Take
}

func newFlawed(f flaw) *flawed {
	return &flawed{
		flaw:    f,
		records: make(map[string]magiclink.Record),
		ends:    make(map[string]time.Time),
		uses:    make(map[string]time.Time),
		marked:  make(map[string]bool),

		arrivals: make(map[string]int64),
	}
}

func (s *flawed) has(f flaw) bool { return s.flaw == f }

// ended returns the context's error, or what the flaws about contexts return instead.
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

func (s *flawed) truncate(t time.Time) time.Time {
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

// refused reports whether a time means "not set", so that Consume and Revoke refuse it.
func (s *flawed) refused(at time.Time) bool {
	if s.has("the zero time is refused before times are truncated") {
		return at.IsZero()
	}
	return s.truncate(at).IsZero()
}

var errZeroTime = errors.New("the time is zero")

// stored returns the record as Create keeps it.
func (s *flawed) stored(r magiclink.Record) magiclink.Record {
	r.CreatedAt, r.ExpiresAt = s.truncate(r.CreatedAt), s.truncate(r.ExpiresAt)
	r.ConsumedAt, r.RevokedAt = s.truncate(r.ConsumedAt), s.truncate(r.RevokedAt)
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
	case "Extension is forgotten":
		r.Extension = ""
	case "Extension ends at a NUL":
		r.Extension, _, _ = strings.Cut(r.Extension, "\x00")
	case "Extension becomes valid UTF-8":
		r.Extension = strings.ToValidUTF8(r.Extension, "\uFFFD")
	case "Extension has at most 1000 bytes":
		r.Extension = r.Extension[:min(len(r.Extension), 1000)]
	case "an empty Extension becomes an object":
		if r.Extension == "" {
			r.Extension = "{}"
		}
	case "Create drops the events":
		r.ConsumedAt, r.RevokedAt = time.Time{}, time.Time{}
	case "Create drops ConsumedBy":
		r.ConsumedBy = ""
	}
	return r
}

func (s *flawed) key(id string) string {
	if s.has("ids match without regard to case") {
		return strings.ToLower(id)
	}
	return id
}

// put stores a record together with its end.
func (s *flawed) put(key string, r magiclink.Record) {
	s.records[key], s.ends[key] = r, s.end(r)
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
	key := s.key(r.ID)
	old, taken := s.records[key]
	if s.has("Create checks, then writes") {
		s.pause()
	}
	switch {
	case taken && s.has("Create overwrites"):
	case taken && s.has("Create revives a used link") && !old.ConsumedAt.IsZero():
	case taken && s.has("Create overwrites and reports ErrExists"):
		s.put(key, s.stored(r))
		return magiclink.ErrExists
	case taken && s.has("Create is silent about an id that is taken"):
		return nil
	case taken:
		return magiclink.ErrExists
	}
	if s.has("Purge leaves the use behind") && r.ConsumedAt.IsZero() {
		r.ConsumedAt = s.uses[key]
	}
	s.put(key, s.stored(r))
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
	case s.has("Get returns no ConsumedBy"):
		r.ConsumedBy = ""
	}
	return r, nil
}
