package magiclink

import (
	"context"
	"log/slog"
	"strings"
	"time"

	"github.com/magiclink-go/magiclink/internal/nilvalue"
)

// Config configures issuing, redeeming and sessions. [New], [NewRedeemer] and [NewSessions] take the same value, so that
// what they must agree on is written once:
//
//	config := magiclink.Config{BaseURL: "https://app.example.com/magic", Keys: keys, Store: store}
//	issuer, err := magiclink.New(config)
//	redeemer, err := magiclink.NewRedeemer(config)
//	sessions, err := magiclink.NewSessions(config)
//
// Each constructor reads the Config once, never changes it, and reports every fault of it at once as [ConfigErrors].
// Several base URLs, for example a domain for each tenant, are several Configs with the same Keys and Store.
type Config struct {
	// BaseURL is the magic link route: where links lead, for example "https://app.example.com/magic". Required.
	// It begins with https://, or with http:// for a loopback host, and has no query and no fragment. Links have its host as
	// browsers write it: in lower case, and without a port that is the scheme's own. A slash at its end counts for nothing.
	BaseURL string

	// Keys signs and verifies the links. Required by all three constructors. New needs a key that can sign; for NewRedeemer
	// and NewSessions public keys are enough. A change of the Keyring takes effect at once.
	Keys *Keyring

	// SessionKeys signs and verifies the sessions. Nil means Keys. To verify sessions public keys are enough.
	SessionKeys *Keyring

	// Store keeps the links, and with them the sessions. Required by New and NewRedeemer. For NewSessions nil means that a
	// session lasts until it expires and cannot be ended. A nil pointer in the interface is a fault.
	Store Store

	// Businesses finds the businesses of each tenant. Nil serves an application with one tenant: the ids of a
	// [MagicLinkCreate] are taken as they are, and a [Caller] with a TenantID or a BusinessID is refused with a
	// [*CallerError]. [AnyBusiness] takes every well-formed id of every tenant. A nil pointer in the interface is a fault.
	Businesses BusinessDirectory

	// Issuer is the "iss" of tokens, and Audience the basis of their "aud", without a fragment (#). Empty means the origin of BaseURL.
	// Each is at most 512 bytes of UTF-8 without control characters, and for NewSessions both are at most 240 bytes together.
	Issuer, Audience string

	// Leeway is the allowed difference of clocks, from 0 to one minute. Links and sessions are accepted for this much longer
	// than they say.
	Leeway time.Duration

	// MaxSessionTimeout is the longest session that a caller may ask for, in whole seconds. Zero means 7948800 s, the
	// maximum of the specification (MagicLinkCreate.session_timeout); more is a fault. It also bounds the default of one
	// day.
	MaxSessionTimeout time.Duration

	// MaxTTL is the longest life of a link that a caller may ask for, in whole minutes from 1 to 15. Zero means 15 minutes, the maximum
	// of the specification. It also bounds the default of 5 minutes. OWASP ASVS 5.0 demands at most 10 minutes (6.5.5).
	MaxTTL time.Duration

	// Supersede lets a new link end the older unused links of the same Subject, so that the link of the last mail is the one that
	// works. Sessions go on. Links without an Email are left alone, because they may be for several people. It needs a Store that is a
	// [Lister], and New asks a [ListChecker] whether it can list the links of an address. Each Issue then looks for older links; in a
	// store with many links that needs an index by address, and in store/redis always an index.
	Supersede bool

	// Limits bound how often links are issued. The zero Limits bound nothing. Limits need a Store that is a [Limiter].
	Limits Limits

	// SessionRecheck is how long [Sessions.Verify] may rely on an earlier look at the Store. Zero means that it looks each
	// time, so that a session that was ended is refused everywhere at once. Each Sessions value remembers its own looks: after
	// [Issuer.Revoke], or an End on another Sessions value, a session may be accepted for this much longer. It must not be
	// negative.
	SessionRecheck time.Duration

	// Refusals remember why links were refused, for [Issuer.Get]: set the same value for New and NewRedeemer. Nil remembers nothing.
	// httpadapter.NewService sets it where it is nil. With a flow of the package signin set it yourself, since the flow has a Redeemer
	// of its own.
	Refusals *Refusals

	// Now is the clock. Nil means time.Now. It is called from any number of goroutines. It may go backwards: a link is accepted until
	// the clock shows its expiry, and never twice. PurgeEvery takes the real clock instead.
	Now func() time.Time

	// Logger takes what cannot be returned, such as a panic of OnEvent. Nil means slog.Default. No token, link or address is logged.
	Logger *slog.Logger

	// OnEvent is called at the end of each call that an [Op] names, successful or not, in the goroutine of the call, so by several
	// goroutines at once. Inspect and Verify report no event. The context is that of the call and may have ended. The call returns
	// when OnEvent has returned, so it should be quick. It may call methods of this package; those report events, too. A panic in
	// it is contained and logged. Nil reports nothing.
	OnEvent func(context.Context, Event)
}

// ConfigError is one fault of a configuration.
type ConfigError struct {
	Field  string // the name of the struct's field
	Reason string // what is wrong, and what to do
}

// Error implements the error interface.
func (e *ConfigError) Error() string { return e.Field + " " + e.Reason }

// ConfigErrors is every fault of a configuration. [errors.As] finds the whole list, and through Unwrap each
// [*ConfigError].
type ConfigErrors []*ConfigError

// Error lists all faults in one line.
func (e ConfigErrors) Error() string {
	faults := make([]string, 0, len(e))
	for _, fault := range e {
		faults = append(faults, fault.Error())
	}
	return "magiclink: invalid configuration: " + strings.Join(faults, "; ")
}

// Unwrap returns the single faults.
func (e ConfigErrors) Unwrap() []error {
	errs := make([]error, 0, len(e))
	for _, fault := range e {
		errs = append(errs, fault)
	}
	return errs
}

func (e *ConfigErrors) add(field, reason string) {
	*e = append(*e, &ConfigError{Field: field, Reason: reason})
}

func (e ConfigErrors) err() error {
	if len(e) == 0 {
		return nil
	}
	return e
}

// settings are a Config that was checked, with its defaults filled in.
type settings struct {
	Config
	route      baseURL
	observer   observer
	configured Store // the Store of the Config, also where WithStore has set another
}

// optional returns the Store as an optional interface, or the Config's store if the Store does not implement it. A store that is bound to a
// transaction lists nothing. It counts only where no other connection can write meanwhile, since a rollback takes its counts back.
func optional[T any](s *settings, name string) (T, error) {
	for _, store := range []Store{s.Store, s.configured} {
		if found, ok := StoreAs[T](store); ok {
			return found, nil
		}
	}
	return *new(T), unsupported(name)
}

func (s *settings) bounds() bounds {
	return bounds{ttl: int(s.MaxTTL / time.Minute), session: int(s.MaxSessionTimeout / time.Second)}
}

// check reports the faults of the fields that every constructor reads.
func (c Config) check() (settings, ConfigErrors) {
	var faults ConfigErrors
	route, err := parseBaseURL(c.BaseURL)
	if err != nil {
		faults.add("BaseURL", err.Error())
	}
	faults.checkKeys(c.Keys, c.SessionKeys)
	if c.Store != nil && nilvalue.Is(c.Store) {
		faults.add("Store", "is a nil pointer in an interface: set a store, or nothing")
	}
	if c.Businesses != nil && nilvalue.Is(c.Businesses) {
		faults.add("Businesses", "is a nil pointer in an interface: set a directory, or nothing")
	}
	faults.checkNames(c.Issuer, c.Audience)
	if c.Leeway < 0 || c.Leeway > maxLeeway {
		faults.add("Leeway", "must be between 0 and one minute")
	}
	if reason := checkMaxSession(c.MaxSessionTimeout); reason != "" {
		faults.add("MaxSessionTimeout", reason)
	}
	if c.MaxTTL%time.Minute != 0 || c.MaxTTL < 0 || c.MaxTTL > maxTTL*time.Minute {
		faults.add("MaxTTL", "must be whole minutes from 1 to 15, or zero for 15")
	}
	if c.SessionRecheck < 0 {
		faults.add("SessionRecheck", "must not be negative")
	}
	c = c.withDefaults(route)
	set := settings{Config: c, route: route, observer: observer{onEvent: c.OnEvent, logger: c.Logger}, configured: c.Store}
	return set, faults
}

func (e *ConfigErrors) checkKeys(keys, sessionKeys *Keyring) {
	switch {
	case keys == nil:
		e.add("Keys", "is required: make one with GenerateKeyring or LoadKeyring")
	case len(keys.load().keys) == 0:
		e.add("Keys", "is empty: make a keyring with GenerateKeyring or LoadKeyring")
	}
	if sessionKeys != nil && len(sessionKeys.load().keys) == 0 {
		e.add("SessionKeys", "is empty: make a keyring with GenerateKeyring or LoadKeyring, or leave it nil")
	}
}

func (e *ConfigErrors) requireStore(store Store) {
	if store == nil {
		e.add("Store", "is required: see the packages store/memory and store/sqlite")
	}
}

// checkNames keeps the names short enough for a token, and such that they can be read back.
func (e *ConfigErrors) checkNames(issuer, audience string) {
	const maxLength = 512 // bytes
	for _, name := range []struct{ field, text string }{{"Issuer", issuer}, {"Audience", audience}} {
		if len(name.text) > maxLength || !plainText(name.text) {
			e.add(name.field, "must be at most 512 bytes of UTF-8 without control characters")
		}
	}
}

func checkMaxSession(longest time.Duration) string {
	switch {
	case longest < 0:
		return "must not be negative"
	case longest%time.Second != 0:
		return "must be whole seconds"
	case longest > maxSessionTimeout*time.Second:
		return "must be at most 7948800 seconds, the maximum of the specification"
	}
	return ""
}

func (c Config) withDefaults(route baseURL) Config {
	if c.SessionKeys == nil {
		c.SessionKeys = c.Keys
	}
	if c.Issuer == "" {
		c.Issuer = route.origin
	}
	if c.Audience == "" {
		c.Audience = route.origin
	}
	if c.MaxSessionTimeout == 0 {
		c.MaxSessionTimeout = maxSessionTimeout * time.Second
	}
	if c.MaxTTL == 0 {
		c.MaxTTL = maxTTL * time.Minute
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Logger == nil {
		c.Logger = slog.Default()
	}
	return c
}
