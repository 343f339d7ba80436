package magiclink

import (
	"errors"
	"fmt"
)

// The outcomes of a [Store]. Match them with [errors.Is]. Every other error of a Store is an outage. A [Redeemer] passes on
// ErrRevoked, ErrConsumed and ErrExpired, and [Issuer.Revoke] passes on ErrNotFound; each other outcome becomes
// ErrInvalidToken or ErrUnavailable.
var (
	// ErrExists says that the store has a record with this id already. That record is unchanged.
	ErrExists = errors.New("magiclink: a record with this id exists already")
	// ErrNotFound says that no record has this id, or that the store has removed the record after its [Record.End].
	ErrNotFound = errors.New("magiclink: no such link")
	// ErrRevoked says that the link was revoked, or that the session that came from it was ended.
	ErrRevoked = errors.New("magiclink: the link was revoked")
	// ErrConsumed says that the link was used before, by this or another caller. All racing redemptions but one see it.
	// [Redeemer.RedeemBy] with the same by succeeds instead.
	ErrConsumed = errors.New("magiclink: the link was already used")
	// ErrExpired says that the link has expired.
	ErrExpired = errors.New("magiclink: the link has expired")
	// ErrUnknownOutcome says that a write was handed to the engine and that nobody can tell whether it took place, for
	// example because the caller's context ended during the commit. Treat it as a failure and grant nothing. The same
	// Consume with the same non-empty "by" settles the question: it succeeds if the first call has taken place.
	ErrUnknownOutcome = errors.New("magiclink: the outcome of the write is unknown")
)

var (
	// ErrInvalidToken is the answer to a token that is malformed, forged, of another kind or for another audience, to an
	// expired access or session token, to a link that the store does not have, and to a session that has ended. It gives no
	// detail, since detail would help an attacker. An expired link is ErrExpired.
	ErrInvalidToken = errors.New("magiclink: invalid token")
	// ErrUnavailable says that the store, the business directory or the signing key failed, or that the context ended. No
	// link was handed out and nobody was let in; the same call may succeed later, unless the error matches ErrUnknownOutcome,
	// too. The error also matches the cause.
	ErrUnavailable = errors.New("magiclink: temporarily unavailable")
	// ErrTokenTooLong says that a token would be longer than the 4096 bytes that a verifier reads.
	ErrTokenTooLong = errors.New("magiclink: the token would be longer than a verifier accepts")
	// ErrUnsupported says that the Store lacks the optional interface that the call needs: [Lister], [SubjectRevoker], [Limiter] or
	// [LimitPeeker]. The stores of this project have them.
	ErrUnsupported = errors.New("magiclink: the Store cannot do this")
	// ErrNoStore says that a session cannot be ended, because [NewSessions] was given no Store: the session lasts until it
	// expires. Set [Config.Store] to the store of the Redeemer.
	ErrNoStore = errors.New("magiclink: sessions without a Store cannot be ended: set Config.Store")
)

// The answers of values that their constructor did not make.
var (
	errNoIssuer   = errors.New("magiclink: Issuer is not initialized: use New")
	errNoRedeemer = errors.New("magiclink: Redeemer is not initialized: use NewRedeemer")
	errNoSessions = errors.New("magiclink: Sessions is not initialized: use NewSessions")
	errNilStore   = errors.New("magiclink: WithStore was given a nil Store: pass it a Store")
)

// errOtherRecord is the cause of an outage.
var errOtherRecord = errors.New("the store answered with another record")

func unsupported(what string) error {
	return fmt.Errorf("%w: it is no magiclink.%s", ErrUnsupported, what)
}

// inputError says that an argument is wrong, so that the same call never succeeds.
type inputError string

func (e inputError) Error() string { return string(e) }

func unavailable(doing string, cause error) error {
	return fmt.Errorf("%w: %s: %w", ErrUnavailable, doing, cause)
}
