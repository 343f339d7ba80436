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

// AccessToken holds the claims of an access token: those of RFC 9068, and the tenant and the business that the token is for.
// All text is valid UTF-8. Times are whole seconds: signing truncates them, and what VerifyAccessToken returns is in UTC.
type AccessToken struct {
	Issuer     string    // iss, required
	Audience   []string  // aud: the resource servers, absolute URIs without a fragment (RFC 8707); at least one
	Subject    string    // sub, required: whom the token stands for; the client itself where no user is involved
	ClientID   string    // client_id, required
	ID         string    // jti; empty means that SignAccessToken makes a new id, "act_" and 22 characters
	Scopes     []string  // scope: what the token allows, each of visible ASCII without space, quote and backslash
	TenantID   string    // tenant_id: the tenant that the client acts for; empty where there is one tenant
	BusinessID string    // business_id: the one business that the token is for; empty means any business of the tenant
	IssuedAt   time.Time // iat, required
	ExpiresAt  time.Time // exp, required, after IssuedAt: the first second at which the token is expired
}

// AccessTokenCheck is what [Keyring.VerifyAccessToken] demands of a token. With an empty Issuer or Audience, or with a zero
// Now, every token is refused.
type AccessTokenCheck struct {
	Issuer   string        // must be the token's iss
	Audience string        // must be among the token's aud
	Now      time.Time     // the time to judge by
	Leeway   time.Duration // how far clocks may differ: 0 to one minute; a value outside counts as the nearest bound
}

// SignAccessToken signs an access token (RFC 9068, "typ" at+jwt) with the signing key. The result is a credential: do not log
// it.
//
// Errors: an error for a required field that is empty and for a field that is malformed; [ErrTokenTooLong] if the token
// would be longer than 4096 bytes; [ErrNoSigningKey]; and the error of a [crypto.Signer].
func (k *Keyring) SignAccessToken(token AccessToken) (string, error) {
	if _, err := k.ready(); err != nil {
		return "", err
	}
	if err := token.check(); err != nil {
		return "", err
	}
	if token.ID == "" {
		token.ID = newID(prefixAccess, token.IssuedAt)
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
	if t.Issuer == "" || len(t.Audience) == 0 || t.Subject == "" || t.ClientID == "" {
		return errors.New("magiclink: an access token needs Issuer, Audience, Subject and ClientID")
	}
	texts := append([]string{t.Issuer, t.Subject, t.ClientID, t.ID, t.TenantID}, t.Audience...)
	if slices.ContainsFunc(texts, func(text string) bool { return !utf8.ValidString(text) }) {
		return errors.New("magiclink: the text of an access token must be UTF-8")
	}
	if slices.ContainsFunc(t.Scopes, func(scope string) bool { return !scopeToken(scope) }) {
		return errors.New("magiclink: a scope must be visible ASCII without spaces, quotes and backslashes")
	}
	if t.BusinessID != "" && !validID(prefixBusiness, t.BusinessID) {
		return errors.New("magiclink: the business id of an access token is malformed: use \"biz_\" and 22 characters, or leave it empty")
	}
	if slices.ContainsFunc(t.Audience, func(one string) bool { return one == "" || strings.Contains(one, "#") }) {
		return errors.New("magiclink: an audience of an access token must not be empty and must not have a fragment")
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

// VerifyAccessToken returns the claims of an access token that a key of the ring has signed and that meets the check. For every
// other token it returns [ErrInvalidToken], whatever the reason; the tokens of links and sessions are never access tokens.
func (k *Keyring) VerifyAccessToken(token string, want AccessTokenCheck) (AccessToken, error) {
	if _, err := k.ready(); err != nil {
		return AccessToken{}, err
	}
	c, err := k.verify(token, expectation{
		kind: jose.Access, issuer: want.Issuer, audience: want.Audience, now: want.Now,
		leeway: max(0, min(want.Leeway, maxLeeway)),
	})
	if err != nil || c.subject == "" || c.clientID == "" {
		return AccessToken{}, ErrInvalidToken
	}
	if c.business != "" && !validID(prefixBusiness, c.business) {
		return AccessToken{}, ErrInvalidToken
	}
	return AccessToken{
		Issuer: c.issuer, Audience: slices.Clone(c.audience), Subject: c.subject, ClientID: c.clientID, ID: c.id,
		Scopes: splitScope(c.scope), TenantID: c.tenant, BusinessID: c.business,
		IssuedAt: time.Unix(c.issued, 0).UTC(), ExpiresAt: time.Unix(c.expires, 0).UTC(),
	}, nil
}

// scopeToken reports whether s is one scope (RFC 6749 section 3.3).
func scopeToken(s string) bool { return s != "" && visibleASCII(s) && !strings.Contains(s, `"`) }

// splitScope splits at spaces (RFC 6749 section 3.3).
func splitScope(scope string) []string {
	if scope == "" {
		return nil
	}
	return strings.Split(scope, " ")
}
