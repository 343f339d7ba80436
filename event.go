package magiclink

import (
	"context"
	"errors"
	"log/slog"
	"time"
)

// EventKind is what has happened to a link.
type EventKind string

// The kinds of event.
const (
	EventIssued   EventKind = "issued"
	EventRedeemed EventKind = "redeemed"
	EventRefused  EventKind = "refused" // Reason says why
	EventRevoked  EventKind = "revoked"
)

// Reason is why something was refused: few values, fit to label a metric.
type Reason string

// The reasons.
const (
	ReasonInvalidInput      Reason = "invalid_input"
	ReasonBusinessNotFound  Reason = "business_not_found"
	ReasonBusinessForbidden Reason = "business_forbidden"
	ReasonNotFound          Reason = "not_found"
	ReasonInvalidToken      Reason = "invalid_token"
	ReasonRevoked           Reason = "revoked"
	ReasonConsumed          Reason = "consumed"
	ReasonExpired           Reason = "expired"
	ReasonUnavailable       Reason = "unavailable"
)

// Event is one entry for an audit log or a metric. It holds no token, link, address or path.
type Event struct {
	Kind       EventKind
	Reason     Reason // empty unless Kind is EventRefused
	At         time.Time
	TenantID   string
	BusinessID string // empty where none is known
	LinkID     string // the mlk_ id; empty where there is none
}

// observer hands events to the application.
type observer struct {
	onEvent func(context.Context, Event)
	logger  *slog.Logger
}

// tell calls the application's function. A panic in it must not undo what has happened, nor leave our API, so it ends
// here. Its value is not logged: we do not know what is in it.
func (o *observer) tell(ctx context.Context, event Event) {
	if o.onEvent == nil {
		return
	}
	defer func() {
		if recover() != nil {
			o.logger.ErrorContext(ctx, "magiclink: OnEvent panicked", "kind", string(event.Kind), "link_id", event.LinkID)
		}
	}()
	o.onEvent(ctx, event)
}

func reasonOf(err error) Reason {
	var fields FieldErrors
	switch {
	case errors.Is(err, ErrUnavailable):
		return ReasonUnavailable
	case errors.As(err, &fields):
		return ReasonInvalidInput
	case errors.Is(err, ErrBusinessNotFound):
		return ReasonBusinessNotFound
	case errors.Is(err, ErrBusinessForbidden):
		return ReasonBusinessForbidden
	case errors.Is(err, ErrNotFound):
		return ReasonNotFound
	case errors.Is(err, ErrInvalid):
		return ReasonInvalidToken
	case errors.Is(err, ErrRevoked):
		return ReasonRevoked
	case errors.Is(err, ErrConsumed):
		return ReasonConsumed
	case errors.Is(err, ErrExpired):
		return ReasonExpired
	}
	return ReasonUnavailable
}
