package magiclink

import (
	"time"

	"github.com/magiclink-go/magiclink/internal/nilvalue"
)

// Issuer issues magic links. Make one with [New]; the zero value returns errors. It is safe for concurrent use.
type Issuer struct {
	settings settings
	tokens   linkTokens
	ids      *sequence
}

// New makes an Issuer. It needs a Store and a key that can sign. It reports every fault of the configuration at once, as
// [ConfigErrors].
func New(config Config) (*Issuer, error) {
	set, faults := config.check()
	faults.requireStore(config.Store)
	if keys := config.Keys.load(); len(keys.keys) > 0 && keys.active == nil {
		faults.add("Keys", "has no key that can sign: load the keyring with its private keys")
	}
	faults.checkLimits(config.Limits, config.Store)
	if config.Supersede {
		faults.requireLister(config.Store)
	}
	if err := faults.err(); err != nil {
		return nil, err
	}
	return &Issuer{settings: set, tokens: newLinkTokens(set.Keys, set.Issuer, set.Audience), ids: new(sequence)}, nil
}

// WithStore returns an Issuer that is the same but for its store, for example a store that is bound to a transaction of
// the caller, so that a link and the caller's own rows are committed together. The receiver is unchanged. With a nil store
// every call of the new Issuer returns an error that says so.
//
// What the store cannot do, [Config.Store] does, outside of the transaction: it counts the links of [Config.Limits] unless the store is
// a [Limiter], and lists links unless the store is a [Lister]. Store/sqlite counts in the transaction, store/postgres outside of it.
// Hand the link out after the commit: before it, nobody can redeem the link.
func (i *Issuer) WithStore(store Store) *Issuer {
	if i == nil {
		return new(Issuer)
	}
	other := *i
	other.settings.Store = store
	if nilvalue.Is(store) {
		other.settings.Store = nil
	}
	return &other
}

// ready returns an error for an Issuer that cannot work.
func (i *Issuer) ready() error {
	switch {
	case i == nil || i.settings.Now == nil:
		return errNoIssuer
	case i.settings.Store == nil:
		return errNilStore
	}
	return nil
}

// Caller says on whose behalf a link is issued. It comes from what authenticated the caller, never from JSON.
// The zero value is the application itself. Without Config.Businesses it may issue for every business; with it the directory
// is asked with an empty tenantID.
type Caller struct {
	TenantID   string // whose businesses the caller may name; at most 255 characters, none a control character
	BusinessID string // the one business that the caller may issue for; empty means any of the tenant's
}

// MagicLinkCreate asks for a link. Its JSON form is the specification's schema of the same name; see
// [MagicLinkCreate.UnmarshalJSON] for how strictly it is read. At least one of the business ids is needed.
//
// A tenant is an organisation that issues links here. A business is a customer of a tenant: BusinessID is the id that this
// server's operator gives it, ExternalBusinessID the tenant's own id for it. An application without businesses writes one
// constant ExternalBusinessID, such as "app".
type MagicLinkCreate struct {
	// Caller is on whose behalf the link is issued. It is not part of the JSON; the HTTP adapter takes it from the
	// access token. An application with one tenant leaves it zero.
	Caller Caller `json:"-" validate:"-"`

	// BusinessID is the business by its id on the platform, such as "biz_GA6EG2qFxA97NZHtxeLPUy".
	BusinessID string `json:"business_id,omitempty" validate:"required_without=ExternalBusinessID,omitempty,biz_string"`

	// ExternalBusinessID is the business by the tenant's own id: 1 to 255 characters, none of them a control character.
	// When both ids are given, they must name the same business.
	ExternalBusinessID string `json:"external_business_id,omitempty" validate:"omitempty,max=255,plaintext"`

	// TTL is how long the link can be used, in minutes, from 1 to 15, or to Config.MaxTTL. Zero means 5, or Config.MaxTTL if that is shorter.
	TTL int `json:"ttl,omitempty" validate:"omitempty,min=1,max=15"`

	// SessionTimeout is how long the session lasts that the link starts, in seconds, from 1 to 7948800 (92 days).
	// Zero means 86400 (one day), or Config.MaxSessionTimeout if that is shorter.
	SessionTimeout int `json:"session_timeout,omitempty" validate:"omitempty,min=1,max=7948800"`

	// Email is the user's address: one bare ASCII address with a dotted domain; see [ValidEmail]. Only the domain is
	// converted to lower case. Empty means none.
	Email string `json:"email,omitempty" validate:"omitempty,email"`

	// Path is the local path that the browser is sent to after the sign-in, such as "/reports"; see [ValidLocalPath]. Empty
	// means "/". A query and a fragment are kept.
	Path string `json:"path,omitempty" validate:"omitempty,localpath"`

	// Extension is data of the application that is stored with the link and comes back in the [Redemption]: at most
	// 1024 bytes of any kind. It is not part of the JSON, and is not in the link.
	Extension string `json:"-" validate:"-"`

	// MagicLinkID is the id that the link gets, for a caller who must know it before the link is issued: one that [NewMagicLinkID] has made
	// for this link. Empty means a new one. If a link has this id already, Issue fails with an error that matches [ErrExists] beside
	// [ErrUnavailable]. It is not part of the JSON.
	MagicLinkID string `json:"-" validate:"omitempty,mlk_string"`

	// IdempotencyKey lets a caller repeat a call whose answer was lost: a second call with the same key and the same input, in the
	// link's life, issues nothing and returns the id of the first link, whatever its MagicLinkID is: see [MagicLinkResponse.Repeated].
	// With another input it fails with [ErrIdempotencyMismatch]. After the link's life the key may issue another link, as soon as the
	// store was purged. Keys are apart for each tenant; a caller that serves several clients puts the client
	// into the key. At most 1024 bytes of any kind; only a digest is stored. Empty means none. It is not part of the JSON.
	IdempotencyKey string `json:"-" validate:"-"`
}

// MagicLinkResponse is an issued link: the specification's schema of the same name. Its JSON leaves out the link: see
// [MagicLinkResponse.MarshalJSON].
type MagicLinkResponse struct {
	MagicLink   string    `json:"magic_link"`    // the link. It is a credential: send it, do not log it
	MagicLinkID string    `json:"magic_link_id"` // "mlk_" and 22 characters; ids sort by the time of issue
	ExpiresAt   time.Time `json:"-"`             // the first moment at which the link cannot be used, in UTC, a whole second

	// Repeated reports that an earlier call with the same IdempotencyKey has issued the link. MagicLink is empty then: nobody keeps a
	// link. A caller that never got the link revokes it by its id and issues another one, with another key.
	Repeated bool `json:"-"`
}
