package httpadapter

import (
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/magiclink-go/magiclink"
)

// BearerConfig is what a [Bearer] is made from.
type BearerConfig struct {
	Keys     *magiclink.Keyring // verifies the tokens; public keys are enough. Required
	Issuer   string             // the "iss" that tokens must have. Required
	Audience string             // the "aud" that must be among a token's: this API. Required
	Leeway   time.Duration      // how far clocks may differ, 0 to one minute
	Now      func() time.Time   // the clock; nil means time.Now
}

// Bearer authenticates by access tokens in the Authorization header (RFC 6750 section 2.1), as [NewTokenEndpoint] issues
// them. It is safe for concurrent use. The zero value lets nobody in.
type Bearer struct {
	config BearerConfig
}

// NewBearer reports every fault of the configuration at once, as [magiclink.ConfigErrors].
func NewBearer(config BearerConfig) (*Bearer, error) {
	var faults magiclink.ConfigErrors
	if config.Keys == nil {
		faults.Add("Keys", "is required")
	}
	checkAudience(&faults, config.Issuer, config.Audience)
	if config.Leeway < 0 || config.Leeway > time.Minute {
		faults.Add("Leeway", "must be between 0 and one minute")
	}
	if err := faults.Err(); err != nil {
		return nil, err
	}
	if config.Now == nil {
		config.Now = time.Now
	}
	return &Bearer{config: config}, nil
}

func checkAudience(faults *magiclink.ConfigErrors, issuer, audience string) {
	if issuer == "" {
		faults.Add("Issuer", "is required: it is the iss of access tokens")
	}
	if audience == "" || strings.Contains(audience, "#") {
		faults.Add("Audience", "is required: it is the aud of access tokens, a URI without a fragment")
	}
}

// Authenticate implements [Authenticator]. Credentials in the query, where they end up in logs, are refused even if a
// header is there as well, and so are two Authorization headers.
func (b *Bearer) Authenticate(r *http.Request) (Principal, error) {
	token, err := bearerToken(r)
	if err != nil {
		return Principal{}, err
	}
	if b == nil || b.config.Keys == nil {
		return Principal{}, ErrInvalidCredentials
	}
	access, err := b.config.Keys.VerifyAccessToken(token, magiclink.AccessTokenCheck{
		Issuer: b.config.Issuer, Audience: b.config.Audience, Now: b.config.Now(), Leeway: b.config.Leeway,
	})
	if err != nil {
		return Principal{}, ErrInvalidCredentials
	}
	return Principal{
		TenantID: access.TenantID, BusinessID: access.BusinessID, ClientID: access.ClientID, Scopes: access.Scopes,
	}, nil
}

// inQuery reports whether any reader could find the parameter in a query, also in one that net/url drops as malformed.
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
