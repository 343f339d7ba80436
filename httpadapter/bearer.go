package httpadapter

import (
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/magiclink-go/magiclink"
)

// BearerConfig configures a [BearerAuthenticator].
type BearerConfig struct {
	Keys     *magiclink.Keyring // verifies the tokens; public keys are enough. Required
	Issuer   string             // the "iss" that a token must have. Required
	Audience string             // the "aud" that must be among a token's: this API. Required
	Leeway   time.Duration      // how far clocks may differ, 0 to one minute
	Now      func() time.Time   // the clock; nil means time.Now
}

// BearerAuthenticator authenticates by access tokens in the Authorization header (RFC 6750 section 2.1), as [TokenHandler]
// issues them. It is safe for concurrent use. The zero value lets nobody in.
type BearerAuthenticator struct {
	config BearerConfig
}

// NewBearerAuthenticator reports every fault of the configuration at once, as [magiclink.ConfigErrors].
func NewBearerAuthenticator(config BearerConfig) (*BearerAuthenticator, error) {
	var found faults
	if config.Keys == nil {
		found.add("Keys", "is required: make one with magiclink.GenerateKeyring or LoadKeyring")
	}
	checkAudience(&found, config.Issuer, config.Audience)
	if config.Leeway < 0 || config.Leeway > time.Minute {
		found.add("Leeway", "must be between 0 and one minute")
	}
	if err := found.err(); err != nil {
		return nil, err
	}
	if config.Now == nil {
		config.Now = time.Now
	}
	return &BearerAuthenticator{config: config}, nil
}

func checkAudience(found *faults, issuer, audience string) {
	if issuer == "" {
		found.add("Issuer", "is required: it is the iss of access tokens")
	}
	if audience == "" || strings.Contains(audience, "#") {
		found.add("Audience", "is required: it is the aud of access tokens, a URI without a fragment")
	}
}

// Authenticate implements [Authenticator]. Credentials in the query, where they end up in logs, are refused even if a
// header is there as well, and so are two Authorization headers.
func (a *BearerAuthenticator) Authenticate(r *http.Request) (Principal, error) {
	token, err := bearerToken(r)
	if err != nil {
		return Principal{}, err
	}
	if a == nil || a.config.Keys == nil {
		return Principal{}, ErrInvalidCredentials
	}
	access, err := a.config.Keys.VerifyAccessToken(token, magiclink.AccessTokenCheck{
		Issuer: a.config.Issuer, Audience: a.config.Audience, Now: a.config.Now(), Leeway: a.config.Leeway,
	})
	if err != nil {
		return Principal{}, ErrInvalidCredentials
	}
	return Principal{
		TenantID: access.TenantID, BusinessID: access.BusinessID, ClientID: access.ClientID, Scopes: access.Scopes,
	}, nil
}

// inQuery reports whether any reader could find the parameter in a query, also in a query that net/url drops as malformed.
func inQuery(query, name string) bool {
	for pair := range strings.FieldsFuncSeq(query, func(c rune) bool { return c == '&' || c == ';' }) {
		key, _, _ := strings.Cut(pair, "=")
		if decoded, err := url.QueryUnescape(key); err == nil && decoded == name {
			return true
		}
	}
	return false
}

func bearerToken(r *http.Request) (string, error) {
	if inQuery(r.URL.RawQuery, "access_token") {
		return "", ErrInvalidCredentials
	}
	headers := r.Header.Values("Authorization")
	if len(headers) > 1 {
		return "", ErrInvalidCredentials
	}
	if len(headers) == 0 {
		return "", ErrNoCredentials
	}
	scheme, token, _ := strings.Cut(headers[0], " ")
	if !strings.EqualFold(scheme, "Bearer") {
		return "", ErrNoCredentials // RFC 6750 section 3.1: another scheme counts as none
	}
	return strings.Trim(token, " "), nil
}
