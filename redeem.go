package magiclink

import (
	"context"
	"errors"
	"log/slog"
	"time"
)

// RedeemerConfig is what a [Redeemer] is made from. It is read once, by [NewRedeemer], and never changed.
type RedeemerConfig struct {
	// BaseURL is the magic link route, the same as in the [Config] of the issuer. Required.
	BaseURL string

	// Keys verifies the links. Public keys are enough. Required.
	Keys *Keyring

	// Store is the one that the issuer writes to. Required.
	Store Store

	// Issuer and Audience are the same as in the [Config] of the issuer. Empty means the origin of BaseURL.
	Issuer, Audience string

	// Leeway is how far this machine's clock may be ahead of the issuer's, from 0 to one minute. A link lives this much
	// longer here than it says.
	Leeway time.Duration

	// Now is the clock. Nil means time.Now.
	Now func() time.Time

	// Logger takes what cannot be returned. Nil means slog.Default. No token, link or address is logged.
	Logger *slog.Logger

	// OnEvent is called after each outcome of Redeem, in the goroutine of the call. It should be quick; a panic in it is
	// contained.
	OnEvent func(context.Context, Event)
}

// Redeemer turns the token of a link into a [Redemption], exactly once. Make one with [NewRedeemer]; the zero value
// returns errors. It needs no private key, so it can run where links must not be issued. It is safe for concurrent use.
type Redeemer struct {
	route    route
	tokens   linkTokens
	store    Store
	leeway   time.Duration
	now      func() time.Time
	observer observer
}

// Redemption is what a link stands for.
type Redemption struct {
	MagicLinkID        string
	TenantID           string
	BusinessID         string
	ExternalBusinessID string
	Email              string        // empty if the link was issued without one
	Path               string        // a local path, checked again, or empty
	SessionTimeout     time.Duration // how long the session may last that starts now
	IssuedAt           time.Time     // UTC, like the following
	ExpiresAt          time.Time     // when the link expires, not the session
	RedeemedAt         time.Time     // zero in what Inspect returns
}

func (c RedeemerConfig) check() (route, error) {
	var faults ConfigErrors
	to := checkRoute(&faults, c.BaseURL)
	checkKeys(&faults, c.Keys)
	if c.Store == nil {
		faults.Add("Store", "is required: the one that the issuer writes to")
	}
	checkNames(&faults, c.Issuer, c.Audience)
	checkLeeway(&faults, c.Leeway)
	return to, faults.Err()
}

// NewRedeemer reports every fault of the configuration at once, as [ConfigErrors].
func NewRedeemer(config RedeemerConfig) (*Redeemer, error) {
	to, err := config.check()
	if err != nil {
		return nil, err
	}
	defaults := Config{
		Issuer: config.Issuer, Audience: config.Audience, Now: config.Now, Logger: config.Logger,
	}.withDefaults(to)
	return &Redeemer{
		route:    to,
		tokens:   newLinkTokens(config.Keys, defaults.Issuer, defaults.Audience),
		store:    config.Store,
		leeway:   config.Leeway,
		now:      defaults.Now,
		observer: observer{onEvent: config.OnEvent, logger: defaults.Logger},
	}, nil
}

// Inspect says what a link stands for and whether it can be redeemed now. It changes nothing, however often it is called,
// and reports no event, so it is what answers a GET: mail scanners follow links.
//
// Errors: those of [Redeemer.Redeem].
func (r *Redeemer) Inspect(ctx context.Context, token string) (Redemption, error) {
	if !r.ready() {
		return Redemption{}, errNoRedeemer
	}
	id, at, err := r.verify(ctx, token, r.now())
	if err != nil {
		return Redemption{}, err
	}
	record, err := r.store.Get(ctx, id)
	if err == nil {
		err = record.verdict(at)
	}
	return redemption("look the link up", id, record, err)
}

// Redeem uses a link up and says what it stands for. Of any number of racing calls with one link exactly one succeeds,
// and when it has, the use is as durable as the store makes it: grant the session then, and only then.
//
// Errors: [ErrExpired], without a look at the store if the token says so; [ErrRevoked]; [ErrConsumed] if the link was used
// before; [ErrInvalid] for a token that is not one of our links, and for a link that the store does not have;
// [ErrUnavailable] if the store fails or the context ends. With ErrUnavailable the link is still usable, unless the error
// matches [ErrUnknownOutcome] too: then it may have been used up, and nobody was let in. Tell people outside only that the
// link cannot be used.
func (r *Redeemer) Redeem(ctx context.Context, token string) (Redemption, error) {
	if !r.ready() {
		return Redemption{}, errNoRedeemer
	}
	now := r.now()
	id, at, err := r.verify(ctx, token, now)
	var redeemed Redemption
	if err == nil {
		record, failure := r.store.Consume(ctx, id, at)
		redeemed, err = redemption("use the link up", id, record, failure)
	}
	event := Event{
		Kind: EventRedeemed, At: now, TenantID: redeemed.TenantID, BusinessID: redeemed.BusinessID, LinkID: id,
	}
	if err != nil {
		event.Kind, event.Reason = EventRefused, reasonOf(err)
	}
	r.observer.tell(ctx, event)
	return redeemed, err
}

// BaseURL returns the magic link route, without a slash at its end. It is empty for a Redeemer that NewRedeemer has not
// made.
func (r *Redeemer) BaseURL() string {
	if !r.ready() {
		return ""
	}
	return r.route.url
}

// Destination returns where the user goes after a redemption: the link's path, or "/", on the origin of the links.
func (r *Redeemer) Destination(redeemed Redemption) string {
	path := redeemed.Path
	if !localPath(path) { // a Redemption that the caller has made
		path = "/"
	}
	if !r.ready() {
		return path
	}
	return r.route.origin + path
}

var errNoRedeemer = errors.New("magiclink: this Redeemer was not made by NewRedeemer")

func (r *Redeemer) ready() bool { return r != nil && r.store != nil }

// verify returns the id of the record that a token stands for, and the time to ask the store about: now, and within the
// leeway the last moment of the link's life. It calls no store.
func (r *Redeemer) verify(ctx context.Context, token string, now time.Time) (id string, at time.Time, err error) {
	id, expires, err := r.tokens.verify(token, now, r.leeway)
	if err == nil && ctx.Err() != nil {
		err = unavailable("redeem", ctx.Err())
	}
	if at = now; !at.Before(expires) {
		at = expires.Add(-time.Millisecond)
	}
	return id, at, err
}

// verdict turns the outcome of a store into one of ours. A link that the store does not have is as good as forged.
func verdict(doing string, err error) error {
	for _, outcome := range []error{ErrRevoked, ErrConsumed, ErrExpired} {
		if errors.Is(err, outcome) {
			return outcome
		}
	}
	if errors.Is(err, ErrNotFound) {
		return ErrInvalid
	}
	return unavailable(doing, err)
}

// redemption takes over what a store has answered. The path was checked when the link was issued, and is checked again
// because it is about to become a redirection: what is stored may have been changed by others.
func redemption(doing, id string, record Record, err error) (Redemption, error) {
	if err == nil && record.ID != id {
		err = errors.New("the store answered with another record")
	}
	if err != nil {
		return Redemption{}, verdict(doing, err)
	}
	path := record.Path
	if !localPath(path) {
		path = ""
	}
	return Redemption{
		MagicLinkID:        record.ID,
		TenantID:           record.TenantID,
		BusinessID:         record.BusinessID,
		ExternalBusinessID: record.ExternalBusinessID,
		Email:              record.Email,
		Path:               path,
		SessionTimeout:     record.SessionTimeout,
		IssuedAt:           record.CreatedAt,
		ExpiresAt:          record.ExpiresAt,
		RedeemedAt:         record.ConsumedAt,
	}, nil
}
