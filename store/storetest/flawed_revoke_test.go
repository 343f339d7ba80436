package storetest_test

import (
	"context"
	"time"

	"github.com/magiclink-go/magiclink"
)

func (s *flawed) Revoke(ctx context.Context, id string, at time.Time) error {
	if err := s.ended(ctx, "Revoke"); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	key := s.key(id)
	r, found := s.records[key]
	if s.refused(at) && !s.revokesAtZero(r) {
		if s.has("the zero time marks the link as revoked") {
			s.marked[key] = true
		}
		return errZeroTime
	}
	switch {
	case !found && s.has("Revoke of an unknown id succeeds"):
		return nil
	case !found && s.has("Revoke of an unknown id leaves a mark"):
		s.put(key, magiclink.Record{ID: id, RevokedAt: s.truncate(at)})
		return magiclink.ErrNotFound
	case !found:
		return magiclink.ErrNotFound
	case s.has("Revoke refuses used links") && !r.ConsumedAt.IsZero():
		return magiclink.ErrConsumed
	case s.has("Revoke refuses expired links") && !at.Before(r.ExpiresAt):
		return magiclink.ErrExpired
	case s.has("Revoke refuses revoked links") && !r.RevokedAt.IsZero():
		return magiclink.ErrRevoked
	case !r.RevokedAt.IsZero() && !s.has("Revoke renews the time") || s.marked[key]:
		return nil
	}
	if s.has("Revoke writes back what it read before") {
		s.pause()
	}
	s.revoke(key, r, at)
	return nil
}

// revokesAtZero is about the flaws that let a Revoke at the zero time pass.
func (s *flawed) revokesAtZero(r magiclink.Record) bool {
	return s.has("the zero time revokes") || s.has("the zero time passes for a revoked link") && !r.RevokedAt.IsZero()
}

func (s *flawed) revoke(key string, r magiclink.Record, at time.Time) {
	r.RevokedAt = s.truncate(at)
	switch s.flaw {
	case "Revoke clears the use":
		r.ConsumedAt = time.Time{}
	case "Revoke clears ConsumedBy":
		r.ConsumedBy = ""
	case "Revoke leaves the end as it was":
		s.records[key] = r
		return
	}
	s.put(key, r)
}
