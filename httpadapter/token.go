package httpadapter

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"log/slog"
	"net/http"
	"net/netip"
	"strings"
	"time"

	"github.com/magiclink-go/magiclink"
	"github.com/magiclink-go/magiclink/internal/network"
	"github.com/magiclink-go/magiclink/internal/nilvalue"
)

// TokenPath is where the specification has the token endpoint.
const TokenPath = "/v0/auth/token" //nolint:gosec // G101: a path

const (
	defaultLifetime    = time.Hour
	defaultMaxLifetime = 24 * time.Hour
)

// TokenConfig configures a [TokenHandler].
type TokenConfig struct {
	Keys    *magiclink.Keyring // signs the access tokens. Required
	Clients ClientDirectory    // knows the clients. Required
	Issuer  string             // the "iss" of tokens. Required

	// Audience is the "aud" of a token for which no resource was asked: this API, a URI without a fragment. Required.
	Audience string

	// Resources are the other resource servers for which a client may ask for a token (RFC 8707), absolute URIs without a
	// fragment. Audience is always allowed. A resource that is not among them gets no token. An empty path and "/" are one
	// resource; the token has the spelling that is configured.
	Resources []string

	// Businesses is asked whether the tenant of the client has the business that the client names. Nil means that a
	// client can name no business but its own; [magiclink.AnyBusiness] takes every well-formed id.
	Businesses magiclink.BusinessDirectory

	// MaxLifetime is the longest life of a token, in whole seconds. A client that asks for more gets this much, and the
	// answer says so. Zero means 24 hours.
	MaxLifetime time.Duration

	// ClientAddress returns the address that a request comes from, for counting wrong secrets. Nil means the address of the connection. Behind a
	// proxy read a header that the proxy sets, and only if the connection comes from the proxy: with the address of the proxy for everybody, anybody
	// can use up the attempts of all. Where the address is not valid, wrong secrets count for the client alone.
	ClientAddress func(*http.Request) netip.Addr

	MaxBody int64            // the greatest body in bytes; zero means 16 KiB
	Timeout time.Duration    // how long the directories may take: see Timeouts in the package documentation; zero means 5 s
	Realm   string           // the realm of WWW-Authenticate; empty means "magiclink"
	Now     func() time.Time // the clock; nil means time.Now
	Logger  *slog.Logger     // takes the causes of 503 answers; nil means slog.Default
}

// TokenHandler answers POST /v0/auth/token: the client-credentials grant of RFC 6749 section 4.4, with access tokens in
// the form of RFC 9068 and resource indicators (RFC 8707). In its answer expires_in is the token's lifetime in seconds, as
// in RFC 6749 section 5.1. There are no refresh tokens. It is safe for concurrent use. The zero value answers 503.
//
// A client authenticates by HTTP Basic, or by client_id and client_secret in the form, and never by both.
//
// # Wrong secrets
//
// After ten wrong secrets for a client from one address, further attempts for this client from there are answered with 429 and Retry-After, also
// with the right secret; one more is allowed every six seconds. After a hundred from one address that is so for all clients, and ten more are allowed
// every six seconds. A network /64 of IPv6 counts as one address; a /56 has four times as many attempts, and a /48 eight times.
// The client gets its tokens at every other address. Each process counts by itself.
//
// Somebody with a million addresses has about ten million attempts in each minute. That is hopeless against 128 random bits, and finds a word or a name. So
// a secret must be random: see [HashSecret].
type TokenHandler struct {
	config    TokenConfig
	resources resources
	throttle  *throttle
	decoy     [sha256.Size]byte // what the secret for an unknown client is compared with
	endpoint
}

// NewTokenHandler reports every fault of the configuration at once, as [magiclink.ConfigErrors].
func NewTokenHandler(config TokenConfig) (*TokenHandler, error) {
	var found faults
	config.check(&found)
	allowed := newResources(&found, config.Audience, config.Resources)
	if config.MaxBody == 0 {
		config.MaxBody = defaultMaxUnknown
	}
	shared := newEndpoint(&found, config.MaxBody, config.Timeout, config.Realm, config.Logger)
	if err := found.err(); err != nil {
		return nil, err
	}
	if config.MaxLifetime == 0 {
		config.MaxLifetime = defaultMaxLifetime
	}
	if config.Now == nil {
		config.Now = time.Now
	}
	if config.ClientAddress == nil {
		config.ClientAddress = func(r *http.Request) netip.Addr { return network.OfConnection(r.RemoteAddr) }
	}
	h := &TokenHandler{config: config, resources: allowed, throttle: newThrottle(), endpoint: shared}
	h.endpoint.complete = h.complete
	rand.Read(h.decoy[:]) // never fails: see its documentation
	return h, nil
}

func (c TokenConfig) check(found *faults) {
	switch {
	case c.Keys == nil:
		found.add("Keys", "is required: make one with magiclink.GenerateKeyring or LoadKeyring")
	case !c.Keys.CanSign():
		found.add("Keys", "has no key that can sign: load the keyring with its private keys")
	}
	switch {
	case c.Clients == nil:
		found.add("Clients", "is required: StaticClients makes one from a list")
	case nilvalue.Is(c.Clients):
		found.add("Clients", "is a nil value in an interface: StaticClients makes a directory from a list")
	}
	if c.Businesses != nil && nilvalue.Is(c.Businesses) {
		found.add("Businesses", "is a nil pointer in an interface: set a directory, or nothing")
	}
	checkAudience(found, c.Issuer, c.Audience)
	checkLifetime(found, "MaxLifetime", c.MaxLifetime)
}

func checkLifetime(found *faults, field string, longest time.Duration) {
	if longest < 0 || longest%time.Second != 0 {
		found.add(field, "must be whole seconds and not negative")
	}
}

type tokenAnswer struct {
	AccessToken string `json:"access_token"`
	TokenType   string `json:"token_type"`
	ExpiresIn   int64  `json:"expires_in"`
	Scope       string `json:"scope"`
}

// ServeHTTP implements [http.Handler].
func (h *TokenHandler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if h == nil || h.config.Clients == nil {
		uninitialized(w, r, "TokenHandler")
		return
	}
	w.Header().Set("Pragma", "no-cache") // RFC 6749 section 5.1
	h.serve(w, r, func() *problem {
		values, unreadable := readForm(w, r, h.maxBody)
		if unreadable != nil {
			return oauthProblem(unreadable.Status, "invalid_request", unreadable.Reason)
		}
		form, fault := parseTokenForm(r, values)
		if fault != nil {
			return fault
		}
		ctx, cancel := h.deadline(r)
		defer cancel()
		answer, fault := h.grant(ctx, form, h.config.ClientAddress(r))
		if fault == nil {
			writeJSON(w, http.StatusOK, answer)
		}
		return fault
	})
}

// complete adds what every answer of a status has: the challenge of a 401 (RFC 6749 section 5.2), and codes where the
// shared answers have none.
func (h *TokenHandler) complete(fault *problem) {
	switch fault.status {
	case http.StatusUnauthorized:
		fault.challenge = `Basic realm="` + h.realm + `"`
	case http.StatusServiceUnavailable:
		fault.code, fault.description = "temporarily_unavailable", fault.code
	case http.StatusMethodNotAllowed:
		fault.code, fault.description = "invalid_request", fault.code
	}
}

func (h *TokenHandler) grant(ctx context.Context, form tokenForm, address netip.Addr) (answer tokenAnswer, _ *problem) {
	client, fault := h.authenticate(ctx, form, address)
	if fault != nil {
		return answer, fault
	}
	token, fault := h.token(ctx, client, form)
	if fault != nil {
		return answer, fault
	}
	signed, err := h.config.Keys.SignAccessToken(token)
	if errors.Is(err, magiclink.ErrTokenTooLong) {
		return answer, invalidTarget("a token for all these resources would be too long: ask for fewer")
	}
	if err != nil {
		return answer, unavailable(err)
	}
	return tokenAnswer{
		AccessToken: signed, TokenType: "Bearer", Scope: strings.Join(token.Scopes, " "),
		ExpiresIn: token.ExpiresAt.Unix() - token.IssuedAt.Unix(),
	}, nil
}
