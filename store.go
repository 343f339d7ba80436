package magiclink

import (
	"context"
	"time"
)

// Subject says whom a link is for. It is part of [Record], [Redemption] and [Session].
type Subject struct {
	TenantID           string // the tenant that asked for the link; empty in an application with one tenant
	BusinessID         string // "biz_" and 22 characters, or empty
	ExternalBusinessID string // the tenant's own id for the business, or empty
	Email              string // the address with its domain in lower case, or empty
}

// Record is what a [Store] keeps of one link. It holds no token and no key: nobody can make a link from a stored record.
// A redeemed record is also the session that came from the link: see [Sessions].
//
// Strings are valid UTF-8, except Extension. A zero time means "not set".
// A Record is a plain value: copying it copies everything, and == compares everything. Printed by fmt or slog it shows no address and no
// path. Encoding/json writes every field, so that a store can keep a record as JSON; an Extension that is not UTF-8 has to be encoded.
type Record struct {
	ID      string // the link's id, "mlk_" and 22 characters; the primary key
	Subject        // whom the link is for

	Path           string        // the local path to arrive at, or empty
	SessionTimeout time.Duration // how long the session lasts that a redemption starts; whole seconds
	Extension      string        // at most 1 KiB of bytes, opaque to stores and kept byte for byte

	CreatedAt  time.Time // when the link was issued
	ExpiresAt  time.Time // the first moment at which the link cannot be used any more
	ConsumedAt time.Time // when the link was redeemed; zero before that
	RevokedAt  time.Time // when the link was revoked or its session ended; zero before that
	ConsumedBy string    // the "by" of the Consume that used the link; at most 128 bytes: the by of RedeemBy, and the device
}

// Verdict returns what [Store.Consume] says about the record at the given time: [ErrRevoked], [ErrConsumed],
// [ErrExpired] or nil, in this order. A record that the same non-empty by has consumed gets nil, also after its expiry: a
// call that is repeated completes what the first call began.
//
// Verdict compares times as they are. A store passes a Canonical record and a time that is truncated to the millisecond.
func (r Record) Verdict(at time.Time, by string) error {
	switch {
	case !r.RevokedAt.IsZero():
		return ErrRevoked
	case r.consumedBy(by):
		return nil
	case !r.ConsumedAt.IsZero():
		return ErrConsumed
	case !at.Before(r.ExpiresAt):
		return ErrExpired
	}
	return nil
}

func (r *Record) consumedBy(by string) bool {
	return !r.ConsumedAt.IsZero() && by != "" && r.ConsumedBy == by
}

// Canonical returns the record in the one form in which a store keeps and returns it: times in UTC and truncated to the
// millisecond (towards the past), SessionTimeout truncated to the second. Canonical of a canonical record is the same
// record.
func (r Record) Canonical() Record {
	r.SessionTimeout = r.SessionTimeout.Truncate(time.Second)
	for _, t := range []*time.Time{&r.CreatedAt, &r.ExpiresAt, &r.ConsumedAt, &r.RevokedAt} {
		*t = canonicalTime(*t)
	}
	return r
}

// canonicalTime goes through Unix time, as stores do, so that equal times are equal by ==, too.
func canonicalTime(t time.Time) time.Time {
	if t.IsZero() {
		return time.Time{}
	}
	return time.UnixMilli(t.UnixMilli()).UTC()
}

// End returns the time from which the record is no longer needed: ConsumedAt + SessionTimeout for a record
// that was consumed and not revoked, which is the end of its session, and ExpiresAt for every other record.
// [Store.Purge] removes records by it.
func (r Record) End() time.Time {
	if r.ConsumedAt.IsZero() || !r.RevokedAt.IsZero() {
		return r.ExpiresAt
	}
	return r.ConsumedAt.Add(r.SessionTimeout)
}

// Store persists links. The interface is frozen: it grows by optional interfaces (see [StoreAs]), never by a method, so
// that a store written today keeps compiling. The package [github.com/magiclink-go/magiclink/store/storetest] checks an
// implementation against every rule below, except Durability and the last sentence of Concurrency.
//
// # Time
//
// Time comes from the caller and never from the engine's clock. A store keeps and returns records in the form of
// [Record.Canonical], and truncates every time that it is given to the millisecond before it compares. A time that becomes the zero
// time by that is a zero time.
//
// # Outcomes
//
// [Record.Verdict] is the verdict on a link. Together with [ErrNotFound] the order is: not found, revoked, consumed
// (unless by the same by), expired. Once a record's [Record.End] has passed, a store may forget the record at any moment
// and answer ErrNotFound from then on. With an error the returned Record is the zero Record.
//
// Errors match the named ones by errors.Is. Every other error is an outage. A failed call has changed nothing, unless its error matches [ErrUnknownOutcome]. A Purge
// that fails may have removed some records, and returns how many. Consume and Revoke refuse the zero time with an error
// and change nothing, since a zero time means "not set".
// A call whose context has ended before the call began returns the context's error and changes nothing.
//
// # Durability
//
// When Create, Consume or Revoke has returned nil, its effect survives a kill of the process, and a loss of power where
// the engine promises that much. Each implementation says beside its constructor what it promises.
//
// # Concurrency
//
// All methods may be called from any number of goroutines, and from several processes where the engine is shared.
// Records go in and come out as copies. A store that runs goroutines has a method Close() error that stops them. A panic, a
// [runtime.Goexit] or a hang in one call, for example in its context, never stops other calls.
type Store interface {
	// Create stores a new record with all its fields. It returns [ErrExists] if the id is taken. Callers guarantee that the id
	// is not empty, and that ConsumedBy is empty while ConsumedAt is zero.
	Create(ctx context.Context, record Record) error

	// Get returns the record with this id, whatever its state. It returns [ErrNotFound] if there is none.
	Get(ctx context.Context, id string) (Record, error)

	// Consume sets ConsumedAt and ConsumedBy of the record and returns the record with both, in one atomic step keyed by
	// the id: of any number of racing calls with different by exactly one succeeds. A call with the same non-empty by as
	// the call that consumed the record succeeds again, changes nothing and returns the record as it is. An empty by
	// never succeeds twice. By has at most 128 bytes of UTF-8, which callers guarantee.
	//
	// It returns [ErrNotFound], [ErrRevoked], [ErrConsumed], or [ErrExpired] if at is not before ExpiresAt.
	Consume(ctx context.Context, id string, at time.Time, by string) (Record, error)

	// Revoke sets RevokedAt of the record, whether or not the link was used or has expired. Revoking again succeeds and
	// keeps the first time. It returns [ErrNotFound] if there is no such record.
	Revoke(ctx context.Context, id string, at time.Time) error

	// Purge removes at most limit records whose [Record.End] is before the given time and returns how many it removed;
	// fewer than limit means that none was left. It removes no other record; a [Limiter] also forgets idle keys. A limit below 1
	// is an error and removes nothing. Purge may be called at any time beside the other methods and delays them only briefly.
	Purge(ctx context.Context, before time.Time, limit int) (int, error)
}
