package magiclink

import (
	"context"
	"errors"
	"time"
)

// The outcomes a [Store] reports. Match them with [errors.Is]; every other error of a Store is an outage.
var (
	// ErrExists says that a record with this id is already there. The one that was there is unchanged.
	ErrExists = errors.New("magiclink: a record with this id exists already")
	// ErrNotFound says that no record has this id, or that the store has forgotten it after its expiry.
	ErrNotFound = errors.New("magiclink: no such link")
	// ErrRevoked says that the link was taken back before it was used.
	ErrRevoked = errors.New("magiclink: the link was revoked")
	// ErrConsumed says that the link was redeemed before. Of racing redemptions all but one see it.
	ErrConsumed = errors.New("magiclink: the link was already used")
	// ErrExpired says that the time asked about is not before the link's expiry.
	ErrExpired = errors.New("magiclink: the link has expired")
	// ErrUnknownOutcome says that a write was handed to the engine and that nobody can tell whether it took place,
	// for example because the caller's context ended while the commit was running.
	// A caller must treat it as a failure and must not grant anything on the strength of it.
	ErrUnknownOutcome = errors.New("magiclink: the outcome of the write is unknown")
)

// Record is what a [Store] keeps of one link. It holds no token and no key: what is stored cannot be turned into a link.
//
// Strings are valid UTF-8. Times are UTC with millisecond precision; a zero time means "not set".
// A Record is a plain value: copying it copies everything.
type Record struct {
	ID                 string // the link's id, "mlk_" and 22 characters; the primary key
	TenantID           string // the tenant that asked for the link; empty in an application with one tenant
	BusinessID         string // "biz_" and 22 characters, or empty
	ExternalBusinessID string // the tenant's own name for the business, or empty
	Email              string // the address with its domain in lower case, or empty
	Path               string // the local path to arrive at, or empty

	SessionTimeout time.Duration // how long the session lasts that a redemption grants; whole seconds

	CreatedAt  time.Time // when the link was issued
	ExpiresAt  time.Time // the first moment at which the link is dead
	ConsumedAt time.Time // when it was redeemed; zero while it was not
	RevokedAt  time.Time // when it was revoked; zero while it was not
}

// verdict returns what a store would say of consuming the record, in the order of its contract.
func (r *Record) verdict(at time.Time) error {
	switch {
	case !r.RevokedAt.IsZero():
		return ErrRevoked
	case !r.ConsumedAt.IsZero():
		return ErrConsumed
	case !at.Before(r.ExpiresAt):
		return ErrExpired
	}
	return nil
}

// Store persists links. The interface is frozen: it grows by optional interfaces, never by a method, so that a store
// written today keeps compiling. [github.com/magiclink-go/magiclink/store/storetest] checks an implementation against
// everything that is said here; a store is right when it passes.
//
// # Time
//
// Time comes from the caller and never from the engine's clock. A store keeps times to the millisecond, cuts off what
// is finer (towards the past) and returns them in UTC. It compares times after that cut. SessionTimeout is kept to the second.
//
// # Outcomes
//
// The verdict on a link is reached in one order: [ErrNotFound], [ErrRevoked], [ErrConsumed], [ErrExpired].
// Once a record's ExpiresAt has passed, a store may forget it at any moment and answer [ErrNotFound] from then on.
// With an error the returned Record is the zero Record.
//
// Every other error is an outage. A failed call has changed nothing, unless its error matches [ErrUnknownOutcome]; a Purge
// that fails may have removed some of what it was to remove, and says how many. A zero time to consume or revoke at is an
// error, since it would mean "not set".
// A call whose context has ended before it began returns the context's error and changes nothing.
//
// # Durability
//
// When Create, Consume or Revoke has returned nil, its effect survives a kill of the process, and a loss of power where
// the engine promises that much. Each implementation says beside its constructor what it promises.
//
// # Concurrency
//
// All methods may be called from any number of goroutines, and from several processes where the engine is shared.
// Records go in and come out as copies. A store runs no goroutine that its Close does not stop.
type Store interface {
	// Create stores a new record with all its fields as they are. It returns [ErrExists] if the id is taken.
	Create(ctx context.Context, record Record) error

	// Get returns the record with this id, whatever its state. It returns [ErrNotFound] if there is none.
	Get(ctx context.Context, id string) (Record, error)

	// Consume marks the record as used at the given time and returns it as it is afterwards, in one atomic step keyed
	// by the id: of any number of racing calls exactly one succeeds. It returns [ErrNotFound], [ErrRevoked],
	// [ErrConsumed], or [ErrExpired] if at is not before ExpiresAt.
	Consume(ctx context.Context, id string, at time.Time) (Record, error)

	// Revoke marks the record as revoked at the given time, whether or not it was used or has expired. Revoking again
	// succeeds and keeps the first time. It returns [ErrNotFound] if there is no such record.
	Revoke(ctx context.Context, id string, at time.Time) error

	// Purge removes at most limit records whose ExpiresAt is before the given time and returns how many it removed; fewer
	// than limit means that none was left. It removes nothing else. A limit below 1 is an error and removes nothing.
	// Purge may be called at any time beside the other methods and holds them up only briefly.
	Purge(ctx context.Context, before time.Time, limit int) (int, error)
}
