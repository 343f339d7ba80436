package magiclink

import (
	"context"
	"time"
	"unicode/utf8"
)

// MaxListLimit is the largest Limit of a [ListQuery].
const MaxListLimit = 1000

// Lister is an optional interface of a [Store] that can list records. Find it with [StoreAs]:
//
//	lister, ok := magiclink.StoreAs[magiclink.Lister](store)
//
// # Order and pages
//
// List returns the records with the largest ids first, compared byte by byte. The ids of an [Issuer] begin with the time of
// issue, so that order is newest first, as exactly as the clocks of the issuers agree. A record with an id of other origin stands
// where its id puts it, whatever its CreatedAt.
//
// The next page begins after the last id of the page before: set [ListQuery.Before] to that id. Nothing is kept between the two
// calls. A walk over all pages therefore
//
//   - never returns a record twice,
//   - returns each record that is there, and matches, from the first call to the last,
//   - returns a record that is created meanwhile if its id comes later in the order, which an id of an Issuer with a
//     correct clock does not: it belongs before the first page,
//   - may return or omit a record that is purged, used or revoked meanwhile.
//
// A page is not a snapshot: a large one may show the states of two moments.
//
// Before is an id that is only compared. It grants nothing: the other fields of the query decide, on every page, which records
// match. So it needs no signature, and a client can be given it as it is. It may be the id of a record that is gone, of another
// tenant's record, or any other text.
//
// # Time and errors
//
// Times come from the caller and are truncated to the millisecond. List returns the error of [ListQuery.Canonical] for a query that
// it refuses. Every other error is an outage, or that of a context that has ended. With an error the returned slice is nil. List
// may be called from any number of goroutines and delays other calls only briefly.
type Lister interface {
	// List returns at most Limit records that match, in the form of [Record.Canonical]. Fewer than Limit means that no further
	// record matches. A record whose [Record.End] has passed is returned until the store has forgotten it.
	List(ctx context.Context, query ListQuery) ([]Record, error)
}

// ListChecker is an optional interface of a [Lister] that can list only what its configuration says, as store/redis lists what it has indexed. What needs a
// Lister asks it once, so that a program refuses such a configuration when it starts, and not at its first call.
type ListChecker interface {
	// CheckList returns nil if List and RevokeSubject can serve a subject whose other fields are empty, and else an error that matches [ErrUnsupported] and says
	// what to set. It does no I/O.
	CheckList(subject Subject) error
}

// ListQuery says which records a [Lister] returns. Printed by fmt or slog it shows no address.
//
// The zero ListQuery is refused, because its Limit is.
type ListQuery struct {
	// Subject says whose records match. The TenantID is always compared: the empty one is the tenant of an application without
	// tenants, and never stands for all tenants. Of the other fields an empty one matches every record. All are compared byte
	// by byte; an address has its domain in lower case.
	Subject

	// State matches records whose [Record.State] at the time At it includes. Empty matches every record.
	State State
	// At is the time at which State is judged. It is needed with a State and not used without one.
	At time.Time

	// IssuedFrom and IssuedBefore match records with IssuedFrom <= CreatedAt < IssuedBefore. A zero time is no bound.
	IssuedFrom, IssuedBefore time.Time

	// Before is the id after which the page begins: records with smaller ids match. Empty means the first page.
	Before string
	// Limit is the largest number of records to return, from 1 to [MaxListLimit].
	Limit int
}

// Matches reports whether the record is one that the query is about, whatever its Limit. Query and record must be canonical.
func (q ListQuery) Matches(r Record) bool {
	return q.covers(r.Subject) &&
		(q.Before == "" || r.ID < q.Before) &&
		!r.CreatedAt.Before(q.IssuedFrom) &&
		(q.IssuedBefore.IsZero() || r.CreatedAt.Before(q.IssuedBefore)) &&
		q.State.Includes(r.State(q.At))
}

// covers compares the tenant, and each other field that is not empty.
func (s Subject) covers(other Subject) bool {
	return s.TenantID == other.TenantID &&
		(s.BusinessID == "" || s.BusinessID == other.BusinessID) &&
		(s.ExternalBusinessID == "" || s.ExternalBusinessID == other.ExternalBusinessID) &&
		(s.Email == "" || s.Email == other.Email)
}

// text reports whether all fields are valid UTF-8.
func (s Subject) text() bool {
	return utf8.ValidString(s.TenantID) && utf8.ValidString(s.BusinessID) &&
		utf8.ValidString(s.ExternalBusinessID) && utf8.ValidString(s.Email)
}

// Canonical returns the query in the one form in which stores compare: times in UTC and truncated to the millisecond. It returns
// an error for a Limit that is not between 1 and [MaxListLimit], an unknown State, a State without At, and text that is not valid
// UTF-8. Each store calls it first, so that all stores refuse the same.
func (q ListQuery) Canonical() (ListQuery, error) {
	for _, t := range []*time.Time{&q.At, &q.IssuedFrom, &q.IssuedBefore} {
		*t = canonicalTime(*t)
	}
	switch {
	case q.Limit < 1 || q.Limit > MaxListLimit:
		return ListQuery{}, inputError("magiclink: the Limit must be between 1 and 1000")
	case !q.State.known():
		return ListQuery{}, inputError("magiclink: the State is unknown: use one of the constants")
	case q.State != "" && q.At.IsZero():
		return ListQuery{}, inputError("magiclink: a State needs the time At: pass the current time")
	case !q.text() || !utf8.ValidString(q.Before):
		return ListQuery{}, inputError("magiclink: the Subject and Before must be valid UTF-8")
	}
	return q, nil
}
