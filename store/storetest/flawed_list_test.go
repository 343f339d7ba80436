package storetest_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/magiclink-go/magiclink"
)

var (
	_ magiclink.Lister         = (*flawed)(nil)
	_ magiclink.SubjectRevoker = (*flawed)(nil)
	_ magiclink.Limiter        = (*flawed)(nil)
)

// listFlaws says which cases must notice each flaw of the optional interface Lister.
var listFlaws = map[flaw][]string{
	"List returns what was created":                 {"List/Fields"},
	"List returns no Extension":                     {"List/Fields"},
	"List goes by CreatedAt":                        {"List/Order"},
	"List goes by the oldest first":                 {"List/Order", "List/Pages"},
	"List orders without regard to case":            {"List/Order"},
	"List escapes a NUL by a backslash":             {"List/Order", "List/HostileCursors"},
	"List takes Before itself":                      {"List/Pages"},
	"List returns one record too many":              {"List/Pages"},
	"List ends early":                               {"List/Pages"},
	"List pages by offset":                          {"List/PagesBesideCreatePurge"},
	"List pages by CreatedAt":                       {"List/Pages"},
	"List forgets the tenant":                       {"List/Tenants", "List/Pages"},
	"List takes the empty tenant for all":           {"List/Tenants"},
	"List matches tenants by prefix":                {"List/Tenants"},
	"List matches tenants without regard to case":   {"List/Tenants"},
	"List with a cursor forgets the tenant":         {"List/HostileCursors"},
	"List refuses a cursor that it does not know":   {"List/HostileCursors"},
	"List forgets the business":                     {"List/Filters"},
	"List forgets the external business":            {"List/Filters"},
	"List forgets the address":                      {"List/Filters"},
	"List matches addresses without regard to case": {"List/Filters"},
	"List forgets the state":                        {"List/Filters", "List/States"},
	"List forgets IssuedFrom":                       {"List/Filters", "List/Issued"},
	"List forgets IssuedBefore":                     {"List/Filters", "List/Issued"},
	"List filters after the limit":                  {"List/Filters"},
	"List takes IssuedBefore itself":                {"List/Issued"},
	"List leaves IssuedFrom out":                    {"List/Issued"},
	"List compares finer than a millisecond":        {"List/Issued"},
	"List judges the state by its own clock":        {"List/States"},
	"a link is live at its expiry":                  {"List/States"},
	"a session lives at its end":                    {"List/States"},
	"a session ends with its link":                  {"List/States"},
	"used leaves living sessions out":               {"List/States"},
	"a session that was ended counts as used":       {"List/States"},
	"a used link expires":                           {"List/States"},
	"List takes any query":                          {"List/Refusals"},
	"List refuses with records":                     {"List/Refusals"},
	"List ignores an ended context":                 {"List/Context"},
	"List is not one moment for a page":             {"Race/ListAndCreate"},
}

func (s *flawed) List(ctx context.Context, query magiclink.ListQuery) ([]magiclink.Record, error) {
	if err := s.ended(ctx, "List"); err != nil {
		return nil, err
	}
	canonical, err := query.Canonical()
	if err != nil {
		if s.has("List refuses with records") {
			return []magiclink.Record{{}}, err
		}
		if !s.has("List takes any query") {
			return nil, err
		}
		canonical = query
	}
	if s.has("List compares finer than a millisecond") {
		canonical.IssuedFrom, canonical.IssuedBefore = query.IssuedFrom, query.IssuedBefore
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.list(canonical)
}

func (s *flawed) list(q magiclink.ListQuery) ([]magiclink.Record, error) {
	found, before := []magiclink.Record{}, s.page(&q)
	limit := q.Limit
	switch {
	case s.has("List returns one record too many"):
		limit++
	case s.has("List ends early"):
		limit = min(limit, 3)
	case s.has("List refuses a cursor that it does not know") && q.Before != "" && s.records[q.Before].ID == "":
		return nil, errors.New("unknown cursor")
	}
	records := s.ordered()
	for i, r := range records {
		if s.has("List is not one moment for a page") && i == len(records)/2 {
			s.pause() // what comes then is taken from the beginning of the order again
			if later := s.ordered(); len(later) != len(records) {
				return later[:min(len(later), q.Limit)], nil
			}
		}
		full := len(found) == limit
		if !full && before(r) && (s.matches(q, r) || s.has("List filters after the limit") && r.TenantID == q.TenantID) {
			found = append(found, s.shown(r))
		}
	}
	if s.has("List filters after the limit") {
		found = slices.DeleteFunc(found, func(r magiclink.Record) bool { return !s.matches(q, r) })
	}
	return found, nil
}

// page returns which records come after the cursor.
func (s *flawed) page(q *magiclink.ListQuery) (comesAfter func(magiclink.Record) bool) {
	cursor := q.Before
	switch s.flaw {
	case "List pages by offset":
		offset := 0
		if cursor != "" {
			offset = s.returned
		}
		s.returned = offset + q.Limit
		return func(r magiclink.Record) bool {
			if r.TenantID == q.TenantID {
				offset--
			}
			return offset < 0
		}
	case "List pages by CreatedAt":
		last, found := s.records[cursor]
		return func(r magiclink.Record) bool { return !found || r.CreatedAt.Before(last.CreatedAt.Add(-time.Minute)) }
	case "List takes Before itself":
		return func(r magiclink.Record) bool { return cursor == "" || r.ID <= cursor }
	case "List goes by the oldest first":
		return func(r magiclink.Record) bool { return r.ID > cursor }
	}
	return func(r magiclink.Record) bool { return cursor == "" || s.order(r.ID) < s.order(cursor) }
}

func (s *flawed) order(id string) string {
	switch s.flaw {
	case "List orders without regard to case":
		return strings.ToLower(id)
	case "List escapes a NUL by a backslash":
		return strings.ReplaceAll(id, "\x00", `\0`)
	}
	return id
}

func (s *flawed) ordered() (records []magiclink.Record) {
	for _, r := range s.records {
		records = append(records, r)
	}
	slices.SortFunc(records, func(a, b magiclink.Record) int {
		switch s.flaw {
		case "List goes by CreatedAt":
			return b.CreatedAt.Compare(a.CreatedAt)
		case "List goes by the oldest first":
			return strings.Compare(a.ID, b.ID)
		}
		return strings.Compare(s.order(b.ID), s.order(a.ID))
	})
	return records
}

func (s *flawed) shown(r magiclink.Record) magiclink.Record {
	switch s.flaw {
	case "List returns what was created":
		r.ConsumedAt, r.RevokedAt, r.ConsumedBy = time.Time{}, time.Time{}, ""
	case "List returns no Extension":
		r.Extension = ""
	}
	return r
}

// matches reports whether the record is one of the query. The page is another question.
func (s *flawed) matches(q magiclink.ListQuery, r magiclink.Record) bool {
	field := func(name, filter, value string) bool {
		return filter == "" || filter == value || s.has(flaw("List forgets the "+name))
	}
	email := field("address", q.Email, r.Email) ||
		s.has("List matches addresses without regard to case") && strings.EqualFold(q.Email, r.Email)
	return s.matchesTenant(q, r) && email && field("business", q.BusinessID, r.BusinessID) &&
		field("external business", q.ExternalBusinessID, r.ExternalBusinessID) && s.matchesIssued(q, r) && s.matchesState(q, r)
}

func (s *flawed) matchesTenant(q magiclink.ListQuery, r magiclink.Record) bool {
	switch s.flaw {
	case "List forgets the tenant":
		return true
	case "List takes the empty tenant for all":
		return q.TenantID == "" || q.TenantID == r.TenantID
	case "List matches tenants by prefix":
		return strings.HasPrefix(r.TenantID, q.TenantID)
	case "List matches tenants without regard to case":
		return strings.EqualFold(r.TenantID, q.TenantID)
	case "List with a cursor forgets the tenant":
		return q.Before != "" || q.TenantID == r.TenantID
	}
	return q.TenantID == r.TenantID
}

func (s *flawed) matchesIssued(q magiclink.ListQuery, r magiclink.Record) bool {
	from, before := q.IssuedFrom, q.IssuedBefore
	switch s.flaw {
	case "List forgets IssuedFrom":
		from = time.Time{}
	case "List forgets IssuedBefore":
		before = time.Time{}
	case "List takes IssuedBefore itself":
		return !r.CreatedAt.Before(from) && (before.IsZero() || !before.Before(r.CreatedAt))
	case "List leaves IssuedFrom out":
		return (from.IsZero() || from.Before(r.CreatedAt)) && (before.IsZero() || r.CreatedAt.Before(before))
	}
	return !r.CreatedAt.Before(from) && (before.IsZero() || r.CreatedAt.Before(before))
}

func (s *flawed) matchesState(q magiclink.ListQuery, r magiclink.Record) bool {
	if s.has("List judges the state by its own clock") {
		q.At = time.Now()
	}
	used, end := !r.ConsumedAt.IsZero(), r.ConsumedAt.Add(r.SessionTimeout)
	state := r.State(q.At)
	switch {
	case s.has("List forgets the state"):
		return true
	case s.has("a link is live at its expiry") && q.At.Equal(r.ExpiresAt) && state == magiclink.StateExpired:
		state = magiclink.StateLive
	case s.has("a session lives at its end") && q.At.Equal(end) && state == magiclink.StateUsed:
		state = magiclink.StateSession
	case s.has("a session ends with its link") && state == magiclink.StateSession && !q.At.Before(r.ExpiresAt):
		state = magiclink.StateUsed
	case s.has("used leaves living sessions out") && state == magiclink.StateSession:
		return q.State == state || q.State == ""
	case s.has("a session that was ended counts as used") && used && state == magiclink.StateRevoked:
		state = magiclink.StateUsed
	case s.has("a used link expires") && state == magiclink.StateUsed && !q.At.Before(r.ExpiresAt):
		state = magiclink.StateExpired
	}
	return q.State.Includes(state)
}
