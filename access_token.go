package magiclink

import (
	"errors"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/magiclink-go/magiclink/internal/jose"
	"github.com/magiclink-go/magiclink/internal/strictjson"
)

// ErrTokenTooLong says that a token would be longer than the 4096 bytes that a verifier reads.
var ErrTokenTooLong = errors.New("magiclink: the token would be longer than a verifier accepts")

// AccessToken is what an access token says: the claims of RFC 9068, and the tenant and the business that it is for.
// Text is valid UTF-8. Times have a precision of one second.
type AccessToken struct {
	Issuer     string    // iss, required
	Audience   []string  // aud: resource servers, absolute URIs without a fragment; at least one
	Subject    string    // sub, required
	ClientID   string    // client_id, required
	ID         string    // jti, required
	Scopes     []string  // scope: what the token allows, names without spaces
	TenantID   string    // tenant_id
	BusinessID string    // business_id: the one business that the token is for; empty means any of the tenant's
	IssuedAt   time.Time // iat, required
	ExpiresAt  time.Time // exp, required: the first second at which the token is dead
}

// AccessTokenCheck is what [Keyring.VerifyAccessToken] demands.
type AccessTokenCheck struct {
	Issuer   string        // must be the token's iss
	Audience string        // must be among the token's aud
	Now      time.Time     // the time to judge by
	Leeway   time.Duration // how far clocks may differ: 0 to one minute
}

// NewAccessTokenID returns a new id for [AccessToken.ID].
func NewAccessTokenID(now time.Time) string { return newID(prefixAccess, now) }

// SignAccessToken signs an access token (RFC 9068, "typ" at+jwt). It returns an error if a required field is empty, and
// [ErrTokenTooLong] or [ErrNoSigningKey]. The token is a credential: it must not be logged.
func (k *Keyring) SignAccessToken(token AccessToken) (string, error) {
	if err := token.check(); err != nil {
		return "", err
	}
	buf := strictjson.AppendString([]byte(`{"iss":`), token.Issuer)
	buf = appendAudience(buf, token.Audience)
	buf = appendText(buf, "sub", token.Subject)
	buf = appendText(buf, "client_id", token.ClientID)
	buf = appendText(buf, "jti", token.ID)
	buf = appendText(buf, "scope", strings.Join(token.Scopes, " "))
	buf = appendText(buf, "tenant_id", token.TenantID)
	if token.BusinessID != "" {
		buf = appendText(buf, "business_id", token.BusinessID)
	}
	buf = appendTime(buf, "iat", token.IssuedAt.Unix())
	buf = appendTime(buf, "exp", token.ExpiresAt.Unix())
	signed, err := k.sign(jose.Access, append(buf, '}'))
	if err == nil && len(signed) > jose.MaxToken {
		return "", ErrTokenTooLong
	}
	return signed, err
}

func (t *AccessToken) check() error {
	if t.Issuer == "" || len(t.Audience) == 0 || t.Subject == "" || t.ClientID == "" || t.ID == "" {
		return errors.New("magiclink: an access token needs Issuer, Audience, Subject, ClientID and ID")
	}
	texts := append([]string{t.Issuer, t.Subject, t.ClientID, t.ID, t.TenantID}, t.Audience...)
	if slices.ContainsFunc(texts, func(text string) bool { return !utf8.ValidString(text) }) {
		return errors.New("magiclink: the text of an access token is UTF-8")
	}
	if slices.ContainsFunc(t.Scopes, func(scope string) bool { return !scopeToken(scope) }) {
		return errors.New("magiclink: a scope is visible ASCII without spaces, quotes and backslashes")
	}
	if t.BusinessID != "" && !validID(prefixBusiness, t.BusinessID) {
		return errors.New("magiclink: the business id of an access token is malformed")
	}
	if slices.ContainsFunc(t.Audience, func(one string) bool { return one == "" || strings.Contains(one, "#") }) {
		return errors.New("magiclink: an audience of an access token is not empty and has no fragment")
	}
	if !t.IssuedAt.Before(t.ExpiresAt) || t.IssuedAt.Unix() < 0 || t.ExpiresAt.Unix() > maxTime {
		return errors.New("magiclink: an access token needs an IssuedAt, and an ExpiresAt after it")
	}
	return nil
}

func appendAudience(buf []byte, audience []string) []byte {
	if len(audience) == 1 {
		return appendText(buf, "aud", audience[0])
	}
	buf = append(buf, `,"aud":[`...)
	for n, one := range audience {
		if n > 0 {
			buf = append(buf, ',')
		}
		buf = strictjson.AppendString(buf, one)
	}
	return append(buf, ']')
}

// VerifyAccessToken checks an access token against the ring and returns what it says. For every token that is not valid
// here and now it returns [ErrInvalid], whatever the reason; tokens of other kinds are never valid.
func (k *Keyring) VerifyAccessToken(token string, want AccessTokenCheck) (AccessToken, error) {
	c, err := k.verify(token, expectation{
		kind: jose.Access, issuer: want.Issuer, audience: want.Audience, now: want.Now,
		leeway: max(0, min(want.Leeway, maxLeeway)),
	})
	if err != nil || c.subject == "" || c.clientID == "" {
		return AccessToken{}, ErrInvalid
	}
	if c.business != "" && !validID(prefixBusiness, c.business) {
		return AccessToken{}, ErrInvalid
	}
	return AccessToken{
		Issuer: c.issuer, Audience: slices.Clone(c.audience), Subject: c.subject, ClientID: c.clientID, ID: c.id,
		Scopes: splitScope(c.scope), TenantID: c.tenant, BusinessID: c.business,
		IssuedAt: time.Unix(c.issued, 0).UTC(), ExpiresAt: time.Unix(c.expires, 0).UTC(),
	}, nil
}

// scopeToken is the grammar of one scope (RFC 6749 section 3.3).
func scopeToken(s string) bool { return s != "" && visibleASCII(s) && !strings.Contains(s, `"`) }

// splitScope splits at spaces (RFC 6749 section 3.3).
func splitScope(scope string) []string {
	if scope == "" {
		return nil
	}
	return strings.Split(scope, " ")
}
