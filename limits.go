package magiclink

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"
	"time"
)

// ErrLimited says that a call was refused because there were too many of its kind. The error is a [*LimitedError], which says when to try
// again.
var ErrLimited = errors.New("magiclink: too many requests")

// LimitedError is the error of a call that a limit has refused. It matches [ErrLimited]. No link was issued.
type LimitedError struct {
	RetryAfter time.Duration // after this time the call may succeed; more than zero
}

// Error implements the error interface.
func (e *LimitedError) Error() string {
	return fmt.Sprintf("%v: try again in %v", ErrLimited, e.RetryAfter.Round(time.Millisecond))
}

// Is reports whether the target is ErrLimited.
func (e *LimitedError) Is(target error) bool { return target == ErrLimited }

// Limits bound how often links are issued. A zero [Rate] is no limit. They are counted in the Store, so all processes and
// replicas on it share them.
type Limits struct {
	// PerSubject bounds the links for one person: one address of a tenant, whatever its upper and lower case.
	PerSubject Rate
	// PerBusiness bounds the links without an address for one business of a tenant. These may be for many people.
	PerBusiness Rate
	// PerTenant bounds the links of one tenant.
	PerTenant Rate
}

func (e *ConfigErrors) checkLimits(limits Limits, store Store) {
	limited := false
	for _, each := range []struct {
		name string
		rate Rate
	}{{"Limits.PerSubject", limits.PerSubject}, {"Limits.PerBusiness", limits.PerBusiness}, {"Limits.PerTenant", limits.PerTenant}} {
		if each.rate == (Rate{}) {
			continue
		}
		limited = true
		if each.rate.Check("key", time.Unix(0, 0)) != nil {
			e.add(each.name, "is out of bounds: Burst is 1 to 1000000, Every is 1ms to 366 days")
		}
	}
	if _, ok := StoreAs[Limiter](store); limited && !ok {
		e.add("Limits", "need a Store that is a Limiter, as the stores of this project are")
	}
}

// take counts one link.
func (s *settings) take(ctx context.Context, subject Subject, now time.Time) error {
	if s.Limits == (Limits{}) {
		return nil
	}
	for _, each := range s.limitsOf(subject) {
		if each.rate == (Rate{}) {
			continue
		}
		limiter, err := optional[Limiter](s, "Limiter")
		if err != nil {
			return err
		}
		wait, err := limiter.Take(ctx, each.key, each.rate, now)
		switch {
		case err != nil:
			return unavailable("count the link", err)
		case wait > 0:
			return &LimitedError{RetryAfter: wait}
		}
	}
	return nil
}

// configuredLimit is one of the Limits with its key.
type configuredLimit struct {
	kind LimitKind
	rate Rate
	key  string
}

// limitsOf returns the limits on which a link for the subject counts, that of the tenant last. A subject without an address and a business is that of
// the tenant.
func (s *settings) limitsOf(subject Subject) []configuredLimit {
	perSubject, perTenant := LimitKeys(subject)
	ofTenant := configuredLimit{LimitTenant, s.Limits.PerTenant, perTenant}
	switch {
	case subject.Email != "":
		return []configuredLimit{{LimitAddress, s.Limits.PerSubject, perSubject}, ofTenant}
	case subject.BusinessID != "" || subject.ExternalBusinessID != "":
		return []configuredLimit{{LimitBusiness, s.Limits.PerBusiness, perSubject}, ofTenant}
	}
	return []configuredLimit{ofTenant}
}

// LimitKeys returns the keys under which [Limits] count the links of a subject, for [Limiter.Reset] and [LimitPeeker]. The first key of a
// subject with an Email depends on the TenantID and the Email alone, and that of a subject without one on all other fields.
// [Issuer.Limits] and [Issuer.ResetLimit] need no keys.
func LimitKeys(subject Subject) (perSubject, perTenant string) {
	subject.Email = lowerDomain(subject.Email)
	return subjectKey(subject), limitKey("tenant", subject.TenantID)
}

func subjectKey(s Subject) string {
	if s.Email != "" {
		return limitKey("address", s.TenantID, strings.ToLower(s.Email))
	}
	return limitKey("business", s.TenantID, s.BusinessID, s.ExternalBusinessID)
}

// limitKey makes a key of a [Limiter] that shows nobody what it stands for.
func limitKey(kind string, parts ...string) string {
	return "issue:" + kind + ":" + base64.RawURLEncoding.EncodeToString(digestOf(parts...)[:18])
}
