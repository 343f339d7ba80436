package magiclink

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// LimitKind says whose links a limit counts.
type LimitKind string

// The kinds.
const (
	LimitAddress  LimitKind = "address"  // Limits.PerSubject
	LimitBusiness LimitKind = "business" // Limits.PerBusiness
	LimitTenant   LimitKind = "tenant"   // Limits.PerTenant
)

// LimitState is what is left of one of the [Limits].
type LimitState struct {
	Kind       LimitKind
	Rate       Rate          // as it is configured; never zero
	Left       int           // how many links may be issued at this moment
	RetryAfter time.Duration // after this time one more may be issued; zero where Left is more than zero
	FullAt     time.Time     // when the whole burst is there again; zero where it is there now
}

// errNoLimit is the same for what is unknown and for what the caller may not see.
var errNoLimit = fmt.Errorf("magiclink: the caller has no limit for this subject: %w", ErrNotFound)

// Limits returns the limits of [Config.Limits] on which a link for the subject would count, that of the tenant last. It takes nothing. Limits that are not
// configured are left out. What is left may be less a moment later.
//
// The TenantID of the subject is taken from the caller. A subject with an Email has the limit of that address, whatever its business; one without it
// has the limit of its business; and one that names neither has the limit of the tenant alone. [Config.Businesses] is asked for the business as it is when a link is issued.
//
// A caller with a BusinessID sees the limit of its own business alone, and must name that business: the limits of an address and of the tenant are also
// those of other businesses.
//
// Errors: [ErrNotFound] for a business that the tenant does not have, and for limits that the caller may not see: both look the same;
// [ErrUnsupported] if the Store is no [LimitPeeker]; [*CallerError]; an error for a malformed subject; [ErrUnavailable] if the store or the directory fails or the
// context ends.
func (i *Issuer) Limits(ctx context.Context, caller Caller, subject Subject) ([]LimitState, error) {
	if err := i.ready(); err != nil {
		return nil, err
	}
	began, now := i.settings.observer.began(), i.settings.Now()
	counted, err := i.settings.countedSubject(ctx, caller, subject)
	var states []LimitState
	if err == nil {
		states, err = i.settings.limitStates(ctx, caller, counted, now)
	}
	event := eventOf(OpLimits, now, counted, "", err)
	event.Count = len(states)
	i.settings.observer.tell(ctx, event, began)
	return states, err
}

// ResetLimit makes one limit as new: that of the Email of the subject, that of its business where it has no Email, and that of the tenant where it names neither. For a
// subject with an Email or a business that of the tenant stays as it is. Resetting a limit again, and one that is not configured, succeeds.
//
// Who may do what is as for [Issuer.Limits].
//
// Errors: those of [Issuer.Limits], with [ErrUnsupported] if the Store is no [Limiter]. After [ErrUnavailable] the limit may be reset.
func (i *Issuer) ResetLimit(ctx context.Context, caller Caller, subject Subject) error {
	if err := i.ready(); err != nil {
		return err
	}
	began, now := i.settings.observer.began(), i.settings.Now()
	counted, err := i.settings.countedSubject(ctx, caller, subject)
	if err == nil {
		err = i.settings.resetLimit(ctx, counted)
	}
	i.settings.observer.tell(ctx, eventOf(OpResetLimit, now, counted, "", err), began)
	return err
}

// countedSubject returns the subject under which a link is counted. With an error it names the tenant alone.
func (s *settings) countedSubject(ctx context.Context, caller Caller, subject Subject) (Subject, error) {
	tenant := Subject{TenantID: caller.TenantID}
	if err := s.checkCaller(caller); err != nil {
		return tenant, err
	}
	if err := checkLimitSubject(subject); err != nil {
		return tenant, err
	}
	named := subject.BusinessID != "" || subject.ExternalBusinessID != ""
	switch {
	case caller.BusinessID != "" && (subject.Email != "" || !named):
		return tenant, errNoLimit
	case subject.Email != "":
		return Subject{TenantID: caller.TenantID, Email: subject.Email}, nil
	case !named:
		return tenant, nil
	}
	found, err := s.business(ctx, &MagicLinkCreate{
		Caller: caller, BusinessID: subject.BusinessID, ExternalBusinessID: subject.ExternalBusinessID,
	})
	switch {
	case errors.Is(err, ErrUnavailable):
		return tenant, err
	case err != nil: // unknown, of another one, or two ids that name two businesses
		return tenant, errNoLimit
	}
	return Subject{TenantID: caller.TenantID, BusinessID: found.ID, ExternalBusinessID: found.ExternalID}, nil
}

func checkLimitSubject(subject Subject) error {
	switch {
	case subject.Email != "" && !ValidEmail(subject.Email):
		return inputError("magiclink: the Email of the Subject must be one plain address such as jane@example.com")
	case subject.BusinessID != "" && !ValidBusinessID(subject.BusinessID):
		return inputError(`magiclink: the BusinessID of the Subject must be "biz_" and 22 characters`)
	case !ValidTenantID(subject.ExternalBusinessID): // the same rule
		return inputError("magiclink: the ExternalBusinessID of the Subject must be at most 255 characters without control characters")
	}
	return nil
}

func (s *settings) limitStates(ctx context.Context, caller Caller, subject Subject, now time.Time) ([]LimitState, error) {
	peeker, err := optional[LimitPeeker](s, "LimitPeeker")
	if err != nil {
		return nil, err
	}
	states := []LimitState{}
	for _, limit := range s.limitsOf(subject) {
		if limit.rate == (Rate{}) || limit.kind == LimitTenant && caller.BusinessID != "" {
			continue
		}
		arrival, err := peeker.Peek(ctx, limit.key)
		if err != nil {
			return nil, refusedOrUnavailable("look at the limit", err)
		}
		states = append(states, limit.state(arrival, now))
	}
	return states, nil
}

func (l configuredLimit) state(arrival int64, now time.Time) LimitState {
	state := LimitState{Kind: l.kind, Rate: l.rate}
	state.Left, state.RetryAfter = l.rate.Peek(arrival, now)
	if arrival > now.UnixMilli() {
		state.FullAt = time.UnixMilli(arrival).UTC()
	}
	return state
}

func (s *settings) resetLimit(ctx context.Context, subject Subject) error {
	limiter, err := optional[Limiter](s, "Limiter")
	if err != nil {
		return err
	}
	if err := limiter.Reset(ctx, s.limitsOf(subject)[0].key); err != nil {
		return refusedOrUnavailable("reset the limit", err)
	}
	return nil
}
