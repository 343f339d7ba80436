package magiclink

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"
)

// ErrUnavailable says that the store, the business directory or the signing key failed, or that the context ended. No
// link was handed out; the same call may succeed later. The error that carries it also matches the cause.
var ErrUnavailable = errors.New("magiclink: temporarily unavailable")

var errNotNew = errors.New("magiclink: this Issuer was not made by New")

// Config is what an [Issuer] is made from. It is read once, by [New], and never changed.
type Config struct {
	// BaseURL is the magic link route: where links lead, for example "https://app.example.com/magic". Required.
	// It begins with https://, or with http:// for a loopback host, and has no query and no fragment.
	BaseURL string

	// Keys signs the links. Required. Rotating it takes effect at once.
	Keys *Keyring

	// Store keeps the links. Required.
	Store Store

	// Businesses knows the businesses of each tenant. Nil means that every well-formed business id, and every external
	// one, is taken as it is: right for an application whose own code has chosen them.
	Businesses BusinessDirectory

	// Issuer and Audience are the "iss" and the basis of the "aud" of tokens. Empty means the origin of BaseURL. Whoever
	// redeems must be given the same.
	Issuer, Audience string

	// MaxSessionTimeout is the longest session that may be asked for, in whole seconds. Zero means the spec's 7948800 s;
	// more is an error. A default session is no longer than this either.
	MaxSessionTimeout time.Duration

	// Now is the clock. Nil means time.Now.
	Now func() time.Time

	// Logger takes what cannot be returned. Nil means slog.Default. No token, link or address is logged.
	Logger *slog.Logger

	// OnEvent is called after each outcome, in the goroutine of the call. It should be quick; a panic in it is contained.
	OnEvent func(context.Context, Event)
}

// Issuer issues magic links. Make one with [New]; the zero value returns errors. It is safe for concurrent use.
type Issuer struct {
	route          route
	tokens         linkTokens
	store          Store
	businesses     BusinessDirectory
	longestSession time.Duration
	now            func() time.Time
	observer       observer
}

// New makes an Issuer. It reports every fault of the configuration at once, as [ConfigErrors].
func New(config Config) (*Issuer, error) {
	to, err := config.check()
	if err != nil {
		return nil, err
	}
	config = config.withDefaults(to)
	return &Issuer{
		route:          to,
		tokens:         newLinkTokens(config.Keys, config.Issuer, config.Audience),
		store:          config.Store,
		businesses:     config.Businesses,
		longestSession: config.MaxSessionTimeout,
		now:            config.Now,
		observer:       observer{onEvent: config.OnEvent, logger: config.Logger},
	}, nil
}

// MagicLinkCreate asks for a link. Its JSON form is the spec's schema of the same name; see
// [MagicLinkCreate.UnmarshalJSON] for how strictly it is read. At least one of the business ids is needed.
type MagicLinkCreate struct {
	// TenantID is whose link it is: at most 255 characters. It is not part of the JSON; the HTTP adapter takes it from the
	// caller's access token. An application with one tenant leaves it empty.
	TenantID string `json:"-" validate:"max=255,plaintext"`

	// ScopedBusinessID is the one business that the caller may issue for. Empty means any of the tenant's. It is not part
	// of the JSON either.
	ScopedBusinessID string `json:"-" validate:"omitempty,biz_string"`

	// BusinessID is the business by its id on the platform, such as "biz_GA6EG2qFxA97NZHtxeLPUy".
	BusinessID string `json:"business_id,omitempty" validate:"required_without=ExternalBusinessID,omitempty,biz_string"`

	// ExternalBusinessID is the business by the tenant's own id: 1 to 255 characters, none of them a control character.
	// With BusinessID beside it both must name one business.
	ExternalBusinessID string `json:"external_business_id,omitempty" validate:"omitempty,max=255,plaintext"`

	// TTL is how long the link can be used, in minutes, from 1 to 15. Zero means 5.
	TTL int `json:"ttl,omitempty" validate:"omitempty,min=1,max=15"`

	// SessionTimeout is how long the session lasts that the link grants, in seconds, from 1 to 7948800 (92 days).
	// Zero means 86400 (one day).
	SessionTimeout int `json:"session_timeout,omitempty" validate:"omitempty,min=1,max=7948800"`

	// Email is the user's address: one bare ASCII address with a dotted domain, and the domain is kept in lower
	// case. Empty means none.
	Email string `json:"email,omitempty" validate:"omitempty,email"`

	// Path is where to arrive on the link's origin, such as "/reports". Empty means none. It is an allow-list: one leading
	// slash, visible ASCII without backslash, at most 512 bytes, no empty segment but the last, no dot segment, and no
	// separator or control in percent-encoding. A query and a fragment are kept.
	Path string `json:"path,omitempty" validate:"omitempty,localpath"`
}

// MagicLinkResponse is an issued link: the spec's schema of the same name.
type MagicLinkResponse struct {
	MagicLink   string    `json:"magic_link"`    // the link. It is a credential: send it, do not log it
	MagicLinkID string    `json:"magic_link_id"` // "mlk_" and 22 characters; ids sort by the time of issue
	ExpiresAt   time.Time `json:"-"`             // the first moment at which the link is dead, in UTC, a whole second
}

// Issue checks the input, mints a link, persists it, and returns it when the store has acknowledged it.
//
// Errors: [FieldErrors] with every field that breaks its rule; [ErrBusinessForbidden]; [ErrBusinessNotFound];
// [ErrUnavailable] when the store, the directory or the key fails or the context ends. After an error there is no link
// that anyone has seen.
func (i *Issuer) Issue(ctx context.Context, in MagicLinkCreate) (MagicLinkResponse, error) {
	if !i.ready() {
		return MagicLinkResponse{}, errNotNew
	}
	now := i.now()
	record, response, err := i.issue(ctx, &in, now)
	event := Event{Kind: EventIssued, At: now, TenantID: in.TenantID, BusinessID: record.BusinessID, LinkID: record.ID}
	if err != nil {
		event = refusal(reasonOf(err), now, in.TenantID)
	}
	i.observer.tell(ctx, event)
	return response, err
}

func refusal(reason Reason, at time.Time, tenantID string) Event {
	if !plainText(tenantID) {
		tenantID = "" // it could forge lines of an audit log
	}
	return Event{Kind: EventRefused, Reason: reason, At: at, TenantID: tenantID}
}

func (i *Issuer) ready() bool { return i != nil && i.store != nil }

func (i *Issuer) issue(ctx context.Context, in *MagicLinkCreate, now time.Time) (Record, MagicLinkResponse, error) {
	if faults := check(in, i.longestSession); faults != nil {
		return Record{}, MagicLinkResponse{}, faults
	}
	if err := ctx.Err(); err != nil {
		return Record{}, MagicLinkResponse{}, unavailable("issue", err)
	}
	business, err := i.business(ctx, in)
	if err != nil {
		return Record{}, MagicLinkResponse{}, err
	}
	record := i.record(in, business, now)
	link, err := i.link(&record)
	if err != nil {
		return Record{}, MagicLinkResponse{}, unavailable("sign the token", err)
	}
	if err := i.store.Create(ctx, record); err != nil {
		return Record{}, MagicLinkResponse{}, unavailable("store the link", err)
	}
	return record, MagicLinkResponse{
		MagicLink:   link,
		MagicLinkID: record.ID,
		ExpiresAt:   record.ExpiresAt,
	}, nil
}

// record fills in the defaults. The expiry is a whole second because that is what a token can say; so both agree.
func (i *Issuer) record(in *MagicLinkCreate, business Business, now time.Time) Record {
	ttl, session := in.TTL, time.Duration(in.SessionTimeout)*time.Second
	if ttl == 0 {
		ttl = defaultTTL
	}
	if session == 0 {
		session = min(defaultSessionTimeout*time.Second, i.longestSession)
	}
	now = now.UTC()
	return Record{
		ID:                 newID(prefixLink, now),
		TenantID:           in.TenantID,
		BusinessID:         business.ID,
		ExternalBusinessID: business.ExternalID,
		Email:              lowerDomain(in.Email),
		Path:               in.Path,
		SessionTimeout:     session,
		CreatedAt:          now.Truncate(time.Millisecond),
		ExpiresAt:          now.Truncate(time.Second).Add(time.Duration(ttl) * time.Minute),
	}
}

func unavailable(doing string, cause error) error {
	return fmt.Errorf("%w: %s: %w", ErrUnavailable, doing, cause)
}
