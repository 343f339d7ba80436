package storetest_test

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/magiclink-go/magiclink"
)

// revokeSubjectFlaws says which cases must notice each flaw of the optional interface SubjectRevoker.
var revokeSubjectFlaws = map[flaw][]string{
	"RevokeSubject forgets used links":              {"RevokeSubject/EveryState"},
	"RevokeSubject forgets links that have expired": {"RevokeSubject/EveryState"},
	"RevokeSubject renews the time":                 {"RevokeSubject/EveryState", "RevokeSubject/Again"},
	"RevokeSubject counts what was revoked":         {"RevokeSubject/EveryState", "RevokeSubject/Again"},
	"RevokeSubject clears the use":                  {"RevokeSubject/EveryState"},
	"RevokeSubject keeps a finer time":              {"RevokeSubject/EveryState"},
	"RevokeSubject takes other tenants":             {"RevokeSubject/Which"},
	"RevokeSubject goes by the address alone":       {"RevokeSubject/Which"},
	"RevokeSubject forgets the business":            {"RevokeSubject/Which"},
	"RevokeSubject forgets the external business":   {"RevokeSubject/Which"},
	"RevokeSubject forgets the address":             {"RevokeSubject/Which"},
	"RevokeSubject leaves issuedUpTo out":           {"RevokeSubject/IssuedUpTo"},
	"RevokeSubject ignores issuedUpTo":              {"RevokeSubject/IssuedUpTo"},
	"RevokeSubject takes a whole tenant":            {"RevokeSubject/Refusals"},
	"RevokeSubject takes a zero time":               {"RevokeSubject/Refusals"},
	"RevokeSubject does one batch":                  {"RevokeSubject/Many"},
	"RevokeSubject reports the last batch":          {"RevokeSubject/Many"},
	"RevokeSubject ignores an ended context":        {"RevokeSubject/Context"},
	"RevokeSubject checks, then writes":             {"Race/RevokeSubject"},
	"RevokeSubject writes back what it read before": {"Race/RevokeSubject"},
}

func (s *flawed) RevokeSubject(ctx context.Context, subject magiclink.Subject, issuedUpTo, at time.Time) (int, error) {
	if err := s.ended(ctx, "RevokeSubject"); err != nil {
		return 0, err
	}
	if err := s.refusesSubject(subject, issuedUpTo, at); err != nil {
		return 0, err
	}
	issuedUpTo = time.UnixMilli(issuedUpTo.UnixMilli())
	if !s.has("RevokeSubject keeps a finer time") {
		at = s.truncate(at)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	var found []magiclink.Record
	for _, r := range s.records {
		if s.matchesSubject(subject, r) && s.matchesIssuedUpTo(issuedUpTo, r) && s.takes(r, at) {
			found = append(found, r)
		}
	}
	if s.has("RevokeSubject checks, then writes") || s.has("RevokeSubject writes back what it read before") {
		s.pause()
	}
	return s.revokeAll(found, at), nil
}

func (s *flawed) refusesSubject(subject magiclink.Subject, issuedUpTo, at time.Time) error {
	err := magiclink.CheckRevokeSubject(subject, issuedUpTo, at)
	named := subject.Email != "" || subject.BusinessID != "" || subject.ExternalBusinessID != ""
	zero := s.truncate(at).IsZero() || s.truncate(issuedUpTo).IsZero()
	switch {
	case err == nil, !named && s.has("RevokeSubject takes a whole tenant"), named && zero && s.has("RevokeSubject takes a zero time"):
		return nil
	}
	return errors.New("refused")
}

func (s *flawed) matchesSubject(subject magiclink.Subject, r magiclink.Record) bool {
	field := func(name, filter, value string) bool {
		return filter == "" || filter == value || s.has(flaw("RevokeSubject forgets the "+name))
	}
	switch {
	case s.has("RevokeSubject goes by the address alone") && subject.Email != "":
		return r.TenantID == subject.TenantID && r.Email == subject.Email
	case r.TenantID != subject.TenantID && !s.has("RevokeSubject takes other tenants"):
		return false
	}
	return field("business", subject.BusinessID, r.BusinessID) && field("address", subject.Email, r.Email) &&
		field("external business", subject.ExternalBusinessID, r.ExternalBusinessID)
}

func (s *flawed) matchesIssuedUpTo(issuedUpTo time.Time, r magiclink.Record) bool {
	return s.has("RevokeSubject ignores issuedUpTo") || r.CreatedAt.Before(issuedUpTo) ||
		r.CreatedAt.Equal(issuedUpTo) && !s.has("RevokeSubject leaves issuedUpTo out")
}

// takes reports whether the state of the record lets it be revoked.
func (s *flawed) takes(r magiclink.Record, at time.Time) bool {
	switch s.flaw {
	case "RevokeSubject forgets used links":
		return r.RevokedAt.IsZero() && r.ConsumedAt.IsZero()
	case "RevokeSubject forgets links that have expired":
		return r.RevokedAt.IsZero() && (!r.ConsumedAt.IsZero() || at.Before(r.ExpiresAt))
	case "RevokeSubject renews the time", "RevokeSubject counts what was revoked":
		return true
	}
	return r.RevokedAt.IsZero()
}

func (s *flawed) revokeAll(found []magiclink.Record, at time.Time) (revoked int) {
	const batch = 500
	if s.has("RevokeSubject does one batch") {
		found = found[:min(len(found), batch)]
	}
	for r := range slices.Values(found) {
		now := s.records[r.ID]
		switch {
		case s.has("RevokeSubject writes back what it read before"):
			now = r
		case s.has("RevokeSubject checks, then writes"), s.has("RevokeSubject renews the time"):
		case !now.RevokedAt.IsZero() && s.has("RevokeSubject counts what was revoked"):
			revoked++
			continue
		case !now.RevokedAt.IsZero():
			continue
		}
		now.RevokedAt = at
		if s.has("RevokeSubject clears the use") {
			now.ConsumedAt, now.ConsumedBy = time.Time{}, ""
		}
		s.put(r.ID, now)
		revoked++
	}
	if s.has("RevokeSubject reports the last batch") {
		return revoked % batch
	}
	return revoked
}
