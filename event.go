package magiclink

import (
	"context"
	"errors"
	"log/slog"
	"time"
)

// Op is the operation that an [Event] is about.
type Op string

// The operations.
const (
	OpIssue      Op = "issue"       // Issuer.Issue, IssueJSON, IssueJSONOnce
	OpRevoke     Op = "revoke"      // Issuer.Revoke
	OpRevokeAll  Op = "revoke_all"  // Issuer.RevokeAll
	OpSupersede  Op = "supersede"   // Issuer.Issue has ended older links: see Config.Supersede
	OpList       Op = "list"        // Issuer.List, Sessions.List
	OpGet        Op = "get"         // Issuer.Get
	OpLimits     Op = "limits"      // Issuer.Limits
	OpResetLimit Op = "reset_limit" // Issuer.ResetLimit
	OpRedeem     Op = "redeem"      // Redeemer.Redeem, RedeemBy, RedeemID
	OpGrant      Op = "grant"       // Sessions.Grant
	OpEnd        Op = "end"         // Sessions.End
	OpEndAll     Op = "end_all"     // Sessions.EndAll
)

// Reason is why an operation failed: a small fixed set, suitable as a metric label. The empty Reason is success.
type Reason string

// The reasons. Those without a comment are the Err… variables of the same name.
const (
	// FieldErrors, *SyntaxError, ErrTokenTooLong, ErrIdempotencyMismatch, a malformed argument
	ReasonInvalidInput      Reason = "invalid_input"
	ReasonInvalidCaller     Reason = "invalid_caller" // *CallerError
	ReasonBusinessNotFound  Reason = "business_not_found"
	ReasonBusinessForbidden Reason = "business_forbidden"
	ReasonNotFound          Reason = "not_found"
	ReasonInvalidToken      Reason = "invalid_token"
	ReasonRevoked           Reason = "revoked"
	ReasonConsumed          Reason = "consumed"
	ReasonExpired           Reason = "expired"
	ReasonLimited           Reason = "limited"       // ErrLimited
	ReasonMisconfigured     Reason = "misconfigured" // a store that lacks an interface, no store to end a session in, or no key that signs
	ReasonUnavailable       Reason = "unavailable"   // ErrUnavailable, and every error that is not listed
)

// Event is one entry for an audit log or a metric. It holds no token, address or path. Events are hints: they are reported
// after the operation and are lost if the process dies. Write what must not be lost in the store's transaction: see
// [Issuer.WithStore].
type Event struct {
	Op         Op
	Reason     Reason        // empty on success
	At         time.Time     // when the call began, by Config.Now and in its time zone
	Took       time.Duration // how long the call took, by the monotonic clock of the machine
	TenantID   string        // empty where none is known, or where it is not valid: see ValidTenantID
	BusinessID string        // empty where none is known
	LinkID     string        // "mlk_" and 22 characters; empty where none is known
	Actor      string        // who made the call: see WithActor; empty where nobody has said
	// Count is how many links were listed, revoked or ended, or how many limits were shown, for the operations that are about several.
	Count int
}

// eventOf describes the outcome of an operation. It leaves out ids that are not valid: they could forge lines of an audit log.
func eventOf(op Op, at time.Time, subject Subject, linkID string, err error) Event {
	event := Event{Op: op, Reason: reasonOf(err), At: at}
	if ValidTenantID(subject.TenantID) {
		event.TenantID = subject.TenantID
	}
	if ValidBusinessID(subject.BusinessID) {
		event.BusinessID = subject.BusinessID
	}
	if validID(prefixLink, linkID) {
		event.LinkID = linkID
	}
	return event
}

// observer hands events to the application.
type observer struct {
	onEvent func(context.Context, Event)
	logger  *slog.Logger
}

// began returns when a call began. It spares the look at the clock where nobody asks.
func (o *observer) began() time.Time {
	if o.onEvent == nil {
		return time.Time{}
	}
	return time.Now()
}

// tell calls the application's function. A panic in it must not undo what has happened, nor leave our API, so it ends
// here. The value of the panic may hold anything and is not logged.
func (o *observer) tell(ctx context.Context, event Event, began time.Time) {
	if o.onEvent == nil {
		return
	}
	event.Took, event.Actor = time.Since(began), actorOf(ctx)
	defer func() {
		if recover() != nil {
			defer func() { _ = recover() }() // the logger is the application's, too
			o.logger.ErrorContext(ctx, "magiclink: OnEvent panicked", "op", string(event.Op), "link_id", event.LinkID)
		}
	}()
	o.onEvent(ctx, event)
}

func reasonOf(err error) Reason {
	if err == nil {
		return ""
	}
	if _, ok := errors.AsType[FieldErrors](err); ok {
		return ReasonInvalidInput
	}
	if _, ok := errors.AsType[*SyntaxError](err); ok {
		return ReasonInvalidInput
	}
	if _, ok := errors.AsType[inputError](err); ok {
		return ReasonInvalidInput
	}
	if _, ok := errors.AsType[*CallerError](err); ok {
		return ReasonInvalidCaller
	}
	for _, known := range []struct {
		err    error
		reason Reason
	}{
		{ErrUnavailable, ReasonUnavailable}, // first: it wraps a cause that could match another one
		{ErrBusinessNotFound, ReasonBusinessNotFound},
		{ErrBusinessForbidden, ReasonBusinessForbidden},
		{ErrNotFound, ReasonNotFound},
		{ErrInvalidToken, ReasonInvalidToken},
		{ErrRevoked, ReasonRevoked},
		{ErrConsumed, ReasonConsumed},
		{ErrExpired, ReasonExpired},
		{ErrTokenTooLong, ReasonInvalidInput},
		{ErrIdempotencyMismatch, ReasonInvalidInput},
		{ErrLimited, ReasonLimited},
		{ErrUnsupported, ReasonMisconfigured},
		{ErrNoStore, ReasonMisconfigured},
		{ErrNoSigningKey, ReasonMisconfigured},
	} {
		if errors.Is(err, known.err) {
			return known.reason
		}
	}
	return ReasonUnavailable
}
