package storetest_test

import (
	"context"
	"errors"
	"time"

	"github.com/magiclink-go/magiclink"
)

func (s *flawed) Purge(ctx context.Context, before time.Time, limit int) (int, error) {
	if err := s.ended(ctx, "Purge"); err != nil {
		return 0, err
	}
	if limit < 1 && !s.has("Purge takes any limit") {
		return 0, errors.New("limit below 1")
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	keys := s.purgeable(s.truncate(before), limit)
	if s.has("Purge checks, then removes") {
		s.pause()
	}
	for _, key := range keys {
		s.uses[key] = s.records[key].ConsumedAt
		delete(s.records, key)
	}
	switch {
	case s.has("Purge reports the limit"):
		return limit, nil
	case s.has("Purge reports nothing"):
		return 0, nil
	case s.has("Purge removes more than it reports") && len(keys) == limit:
		clear(s.records)
	}
	return min(len(keys)+s.forgetKeys(before), limit), nil
}

// purgeable returns the keys of the records that Purge removes.
func (s *flawed) purgeable(before time.Time, limit int) []string {
	var keys []string
	for key, r := range s.records {
		if len(keys) == limit && !s.has("Purge ignores the limit") {
			break
		}
		if s.over(key, r, before) {
			keys = append(keys, key)
		}
		if len(keys) == 1 && s.has("Purge stops early") {
			break
		}
	}
	return keys
}

// over reports whether Purge removes the record.
func (s *flawed) over(key string, r magiclink.Record, before time.Time) bool {
	over := s.ends[key].Before(before)
	switch s.flaw {
	case "Purge removes nothing":
		return false
	case "Purge removes used links":
		return over || !r.ConsumedAt.IsZero()
	case "Purge removes revoked links":
		return over || !r.RevokedAt.IsZero()
	case "Purge keeps used links":
		return over && r.ConsumedAt.IsZero()
	case "Purge removes everything":
		return true
	case "Purge takes the moment itself":
		return !before.Before(s.ends[key])
	case "Purge goes by its own clock":
		return s.ends[key].Before(time.Now())
	}
	return over
}

// end returns the first moment at which nothing depends on the record any more.
func (s *flawed) end(r magiclink.Record) time.Time {
	used, revoked := !r.ConsumedAt.IsZero(), !r.RevokedAt.IsZero()
	session := r.ConsumedAt.Add(r.SessionTimeout)
	switch {
	case !used, s.has("every record ends at ExpiresAt"):
		return r.ExpiresAt
	case s.has("a revoked session ends like any other"):
		return session
	case revoked:
		return r.ExpiresAt
	case s.has("a used link ends at ExpiresAt or with its session, whichever is earlier") && r.ExpiresAt.Before(session):
		return r.ExpiresAt
	case s.has("a used link ends at ExpiresAt or with its session, whichever is later") && session.Before(r.ExpiresAt):
		return r.ExpiresAt
	case s.has("a session lasts from the creation of the link"):
		return r.CreatedAt.Add(r.SessionTimeout)
	}
	return session
}
