package storetest_test

import (
	"context"
	"errors"
	"strings"
	"time"

	"github.com/magiclink-go/magiclink"
)

func (s *flawed) Consume(ctx context.Context, id string, at time.Time, by string) (magiclink.Record, error) {
	if err := s.ended(ctx, "Consume"); err != nil {
		return magiclink.Record{}, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	key := s.key(id)
	r, err := s.verdict(key, at, by)
	if s.refused(at) && !s.acceptsZero(r, err) {
		return magiclink.Record{}, s.refuseZero(key)
	}
	switch {
	case err != nil:
		return s.refuse(key, r, at, by, err)
	case !r.ConsumedAt.IsZero():
		return s.repeat(key, r, at), nil
	}
	if s.has("Consume checks, then writes at once") { // the window is as small as it can be
		s.mu.Unlock()
		s.mu.Lock()
	}
	if s.has("Consume checks, then writes") || s.has("the same by checks, then writes") || s.has("a racing same by loses") {
		s.pause()
		r = s.records[key]
	}
	lost := s.has("the same by checks, then writes") && r.ConsumedBy != by || s.has("a racing same by loses")
	if lost && !r.ConsumedAt.IsZero() {
		return magiclink.Record{}, magiclink.ErrConsumed
	}
	return s.use(key, r, at, by), nil
}

// acceptsZero is about the flaws that let a Consume at the zero time pass.
func (s *flawed) acceptsZero(r magiclink.Record, verdict error) bool {
	repeated := verdict == nil && !r.ConsumedAt.IsZero()
	return s.has("the zero time consumes") || s.has("the zero time passes for the same by") && repeated
}

func (s *flawed) refuseZero(key string) error {
	switch s.flaw {
	case "the zero time is answered with ErrExpired":
		return magiclink.ErrExpired
	case "the zero time has an unknown outcome":
		return magiclink.ErrUnknownOutcome
	case "the zero time marks the link as used":
		s.marked[key] = true
	}
	return errZeroTime
}

// use consumes the link.
func (s *flawed) use(key string, r magiclink.Record, at time.Time, by string) magiclink.Record {
	before := r
	r.ConsumedAt, r.ConsumedBy = s.truncate(at), by
	switch s.flaw {
	case "Consume takes the time from its own clock":
		r.ConsumedAt = s.truncate(time.Now())
	case "Consume forgets by":
		r.ConsumedBy = ""
	case "by has at most 127 bytes":
		r.ConsumedBy = by[:min(len(by), 127)]
	}
	switch s.flaw {
	case "Consume persists nothing":
	case "Consume leaves the end as it was":
		s.records[key] = r
	default:
		s.put(key, r)
	}
	switch s.flaw {
	case "Consume returns the record as it was":
		return before
	case "Consume returns no ConsumedBy":
		r.ConsumedBy = ""
	case "Consume returns no Extension":
		r.Extension = ""
	}
	return r
}

// repeat answers a Consume with the same by.
func (s *flawed) repeat(key string, r magiclink.Record, at time.Time) magiclink.Record {
	switch s.flaw {
	case "the same by renews the time":
		r.ConsumedAt = s.truncate(at)
		s.put(key, r)
	case "the same by gets the time of its own call":
		r.ConsumedAt = s.truncate(at)
	case "the same by gets no record":
		r = magiclink.Record{}
	}
	return r
}

// refuse answers a Consume with its verdict.
func (s *flawed) refuse(key string, r magiclink.Record, at time.Time, by string, verdict error) (magiclink.Record, error) {
	switch {
	case s.has("a refused Consume returns the record"):
		return r, verdict
	case s.has("a late Consume uses up the link") && errors.Is(verdict, magiclink.ErrExpired),
		s.has("a second Consume renews the time") && errors.Is(verdict, magiclink.ErrConsumed):
		r.ConsumedAt = s.truncate(at)
		s.put(key, r)
	case s.has("a refused by takes the link over") && errors.Is(verdict, magiclink.ErrConsumed):
		r.ConsumedBy = by
		s.put(key, r)
	}
	return magiclink.Record{}, verdict
}

// verdict returns the record and why it cannot be consumed.
func (s *flawed) verdict(key string, at time.Time, by string) (magiclink.Record, error) {
	r, found := s.records[key]
	now := s.truncate(at)
	switch s.flaw {
	case "expiry is judged by the store's own clock":
		now = s.truncate(time.Now())
	case "times are compared before they are truncated":
		now = at.UTC().Round(0).Add(time.Millisecond - 1)
	}
	revoked, consumed, expired := !r.RevokedAt.IsZero(), !r.ConsumedAt.IsZero() || s.marked[key], !now.Before(r.ExpiresAt)
	same := !r.ConsumedAt.IsZero() && s.same(r.ConsumedBy, by)
	switch s.flaw {
	case "Consume ignores expiry":
		expired = false
	case "Consume ignores revocation":
		revoked = false
	case "the same by ignores revocation":
		revoked = revoked && !same
	case "the same by is judged as expired":
		same = same && !expired
		consumed = consumed && !expired
	case "the link is usable at the moment of its expiry":
		expired = now.After(r.ExpiresAt)
	case "the link expires a millisecond early":
		expired = !now.Add(time.Millisecond).Before(r.ExpiresAt)
	}
	switch {
	case !found:
		return r, magiclink.ErrNotFound
	case s.has("ErrExpired comes first") && expired:
		return r, magiclink.ErrExpired
	case s.has("ErrConsumed comes before ErrRevoked") && consumed && !same:
		return r, magiclink.ErrConsumed
	case s.has("ErrExpired comes before ErrConsumed") && !revoked && !same && expired:
		return r, magiclink.ErrExpired
	case revoked:
		return r, magiclink.ErrRevoked
	case same:
		return r, nil
	case consumed:
		return r, magiclink.ErrConsumed
	case expired:
		return r, magiclink.ErrExpired
	}
	return r, nil
}

// same reports whether the by of a call is the one that consumed the link.
func (s *flawed) same(kept, by string) bool {
	switch s.flaw {
	case "the same by is refused":
		return false
	case "another by is accepted":
		return by != ""
	case "an empty by is accepted after a by":
		return by == "" && kept != "" || by != "" && kept == by
	case "an empty by is accepted twice":
		return kept == by
	case "an empty ConsumedBy matches every by":
		return by != "" && (kept == "" || kept == by)
	case "by matches without regard to case":
		return by != "" && strings.EqualFold(kept, by)
	case "by matches without the spaces around it":
		return by != "" && kept == strings.TrimSpace(by)
	case "by matches up to a NUL":
		by, _, _ = strings.Cut(by, "\x00")
	case "by matches up to a tab":
		kept, _, _ = strings.Cut(kept, "\t")
		by, _, _ = strings.Cut(by, "\t")
	case "by matches by its first 127 bytes":
		kept, by = kept[:min(len(kept), 127)], by[:min(len(by), 127)]
	}
	return by != "" && kept == by
}
