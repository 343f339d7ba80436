package httpadapter

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"errors"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/magiclink-go/magiclink"
)

// TokenPath is where the spec has the token endpoint.
const TokenPath = "/v0/auth/token" //nolint:gosec // G101: a path

const (
	defaultLifetime    = time.Hour
	defaultMaxLifetime = 24 * time.Hour
)

// TokenConfig is what a [TokenEndpoint] is made from.
type TokenConfig struct {
	Keys    *magiclink.Keyring // signs the access tokens. Required
	Clients ClientDirectory    // knows the clients. Required
	Issuer  string             // the "iss" of tokens. Required

	// Audience is the "aud" of a token for which no resource was asked: this API, a URI without a fragment. Required.
	Audience string

	// Businesses is asked whether the client's tenant has the business that a token is to be scoped to. Nil means that
	// every well-formed id is taken as it is.
	Businesses magiclink.BusinessDirectory

	// MaxLifetime is the longest life of a token, in whole seconds. A client that asks for more gets this much, and is
	// told so. Zero means 24 hours.
	MaxLifetime time.Duration

	MaxBody int64            // the greatest body in bytes; zero means 64 KiB
	Timeout time.Duration    // how long the directories may take before the answer is 503; zero means 5 s
	Realm   string           // the realm of WWW-Authenticate; empty means "magiclink"
	Now     func() time.Time // the clock; nil means time.Now
	Logger  *slog.Logger     // takes the causes of 503 answers; nil means slog.Default
}

// TokenEndpoint answers POST /v0/auth/token: the client-credentials grant of RFC 6749 section 4.4, with access tokens in
// the form of RFC 9068 and resource indicators (RFC 8707). In its answer expires_in is the token's lifetime in seconds, as
// RFC 6749 section 5.1 has it. There are no refresh tokens. It is safe for concurrent use.
//
// A client authenticates by HTTP Basic, or by client_id and client_secret in the form, and never by both.
type TokenEndpoint struct {
	config TokenConfig
	decoy  [sha256.Size]byte // what the secret for an unknown client is compared with
	endpoint
}

// NewTokenEndpoint reports every fault of the configuration at once, as [magiclink.ConfigErrors].
func NewTokenEndpoint(config TokenConfig) (*TokenEndpoint, error) {
	var faults magiclink.ConfigErrors
	switch {
	case config.Keys == nil:
		faults.Add("Keys", "is required")
	case !config.Keys.CanSign():
		faults.Add("Keys", "has no key that can sign")
	}
	if config.Clients == nil {
		faults.Add("Clients", "is required: StaticClients makes one from a list")
	}
	checkAudience(&faults, config.Issuer, config.Audience)
	if config.MaxLifetime < 0 || config.MaxLifetime%time.Second != 0 {
		faults.Add("MaxLifetime", "must be whole seconds and not negative")
	}
	shared := newEndpoint(&faults, config.MaxBody, config.Timeout, config.Realm, config.Logger)
	if err := faults.Err(); err != nil {
		return nil, err
	}
	if config.MaxLifetime == 0 {
		config.MaxLifetime = defaultMaxLifetime
	}
	if config.Now == nil {
		config.Now = time.Now
	}
	t := &TokenEndpoint{config: config, endpoint: shared}
	t.endpoint.complete = t.complete
	rand.Read(t.decoy[:]) // never fails: see its documentation
	return t, nil
}

type tokenAnswer struct {
	AccessToken string `json:"access_token"`
	TokenType   string `json:"token_type"`
	ExpiresIn   int64  `json:"expires_in"`
	Scope       string `json:"scope"`
}

// ServeHTTP implements [http.Handler].
func (t *TokenEndpoint) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Pragma", "no-cache") // RFC 6749 section 5.1
	t.serve(w, r, func() *problem {
		body, unreadable := readBody(w, r, t.maxBody, "application/x-www-form-urlencoded")
		if unreadable != nil {
			return oauthProblem(unreadable.status, "invalid_request", unreadable.reason)
		}
		form, fault := parseTokenForm(r, body)
		if fault == nil {
			ctx, cancel := t.deadline(r)
			defer cancel()
			fault = t.grant(ctx, w, form)
		}
		return fault
	})
}

// complete adds what every answer of a status has: the challenge of a 401 (RFC 6749 section 5.2), and codes where the
// shared answers have none.
func (t *TokenEndpoint) complete(fault *problem) {
	switch fault.status {
	case http.StatusUnauthorized:
		fault.challenge = `Basic realm="` + t.realm + `"`
	case http.StatusServiceUnavailable:
		fault.code, fault.description = "temporarily_unavailable", fault.code
	case http.StatusMethodNotAllowed:
		fault.code, fault.description = "invalid_request", fault.code
	}
}

func (t *TokenEndpoint) grant(ctx context.Context, w http.ResponseWriter, form tokenForm) *problem {
	client, fault := t.authenticate(ctx, form)
	if fault != nil {
		return fault
	}
	token, fault := t.token(ctx, client, form)
	if fault != nil {
		return fault
	}
	signed, err := t.config.Keys.SignAccessToken(token)
	if errors.Is(err, magiclink.ErrTokenTooLong) {
		return oauthProblem(http.StatusUnprocessableEntity, "invalid_target", "a token for all these resources would be too long")
	}
	if err != nil {
		return unavailable(err)
	}
	writeJSON(w, http.StatusOK, tokenAnswer{
		AccessToken: signed, TokenType: "Bearer", Scope: strings.Join(token.Scopes, " "),
		ExpiresIn: token.ExpiresAt.Unix() - token.IssuedAt.Unix(),
	})
	return nil
}

// authenticate does the same work for a client that is not there, so that the time of the answer names no client.
func (t *TokenEndpoint) authenticate(ctx context.Context, form tokenForm) (Client, *problem) {
	if form.clientID == "" || form.secret == "" {
		return Client{}, oauthProblem(http.StatusUnauthorized, "invalid_client", "the client must send its id and its secret")
	}
	client, err := t.config.Clients.FindClient(ctx, form.clientID)
	known := err == nil
	if !known && !errors.Is(err, ErrClientNotFound) {
		return Client{}, unavailable(err)
	}
	want := t.decoy
	if known {
		want = client.SecretSHA256
	}
	got := HashSecret(form.secret)
	if subtle.ConstantTimeCompare(got[:], want[:]) != 1 || !known {
		return Client{}, oauthProblem(http.StatusUnauthorized, "invalid_client", "the client's credentials are not valid")
	}
	return client, nil
}

// token decides what the client gets of what it asks for.
func (t *TokenEndpoint) token(ctx context.Context, client Client, form tokenForm) (magiclink.AccessToken, *problem) {
	scopes := client.Scopes
	if form.scopes != nil {
		scopes = form.scopes
	}
	for _, scope := range scopes {
		if !slices.Contains(client.Scopes, scope) {
			return magiclink.AccessToken{}, oauthProblem(http.StatusForbidden, "invalid_scope", "the client may not have this scope")
		}
	}
	business, fault := t.business(ctx, client, form.businessID)
	if fault != nil {
		return magiclink.AccessToken{}, fault
	}
	audience := form.resources
	if len(audience) == 0 {
		audience = []string{t.config.Audience}
	}
	now := t.config.Now().Truncate(time.Second)
	return magiclink.AccessToken{
		Issuer: t.config.Issuer, Audience: audience, Subject: client.ID, ClientID: client.ID,
		ID: magiclink.NewAccessTokenID(now), Scopes: scopes, TenantID: client.TenantID, BusinessID: business,
		IssuedAt: now, ExpiresAt: now.Add(t.lifetime(form.lifetime)),
	}, nil
}

func (t *TokenEndpoint) lifetime(seconds int64) time.Duration {
	if seconds == 0 {
		return min(defaultLifetime, t.config.MaxLifetime)
	}
	return time.Duration(min(seconds, int64(t.config.MaxLifetime/time.Second))) * time.Second
}

// business returns the one business to scope the token to, or "".
func (t *TokenEndpoint) business(ctx context.Context, client Client, asked string) (string, *problem) {
	switch {
	case asked == "":
		return client.BusinessID, nil
	case client.BusinessID != "" && asked != client.BusinessID:
		return "", oauthProblem(http.StatusForbidden, "invalid_request", "the client may not act for this business")
	case t.config.Businesses == nil:
		return asked, nil
	}
	found, err := t.config.Businesses.FindBusiness(ctx, client.TenantID, magiclink.BusinessRef{ID: asked})
	if errors.Is(err, magiclink.ErrBusinessNotFound) {
		return "", oauthProblem(http.StatusNotFound, "invalid_request", "there is no such business")
	}
	if err == nil && found.ID != asked {
		err = errors.New("the directory answered with another business")
	}
	if err != nil {
		return "", unavailable(err)
	}
	return asked, nil
}
