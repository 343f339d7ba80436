package httpadapter

import (
	"encoding/json"
	"net/http"
	"net/url"
	"slices"
)

// MetadataPath is where RFC 8414 section 3 has the metadata of an authorization server whose issuer has no path.
const MetadataPath = "/.well-known/oauth-authorization-server"

// MetadataConfig configures a [MetadataHandler].
type MetadataConfig struct {
	Issuer        string   // the "iss" of access tokens, as in TokenConfig. Required
	TokenEndpoint string   // the absolute URL of the [TokenHandler]. Required
	JWKSURI       string   // the absolute URL of the [JWKSHandler]. Required
	Scopes        []string // the scopes that clients may find useful to know; nil means those of this package
}

// MetadataHandler answers GET /.well-known/oauth-authorization-server with the metadata of RFC 8414, from which OAuth
// clients learn where the token endpoint is. Pages of every origin may read it. It is safe for concurrent use. The zero
// value answers 503.
type MetadataHandler struct {
	next http.Handler
}

// metadata has the members of RFC 8414 section 2. There is no authorization endpoint, so no response type is supported.
type metadata struct {
	Issuer         string   `json:"issuer"`
	TokenEndpoint  string   `json:"token_endpoint"`
	JWKSURI        string   `json:"jwks_uri"`
	Scopes         []string `json:"scopes_supported"`
	ResponseTypes  []string `json:"response_types_supported"`
	GrantTypes     []string `json:"grant_types_supported"`
	Authentication []string `json:"token_endpoint_auth_methods_supported"`
}

// NewMetadataHandler reports every fault of the configuration at once, as [magiclink.ConfigErrors].
func NewMetadataHandler(config MetadataConfig) (*MetadataHandler, error) {
	var found faults
	if config.Issuer == "" {
		found.add("Issuer", "is required: it is the iss of access tokens")
	}
	for _, address := range []struct{ field, url string }{
		{"TokenEndpoint", config.TokenEndpoint}, {"JWKSURI", config.JWKSURI},
	} {
		if u, err := url.Parse(address.url); err != nil || u.Host == "" || u.Fragment != "" {
			found.add(address.field, "is required: it is an absolute URL")
		}
	}
	if slices.ContainsFunc(config.Scopes, func(scope string) bool { return !scopeToken(scope) }) {
		found.add("Scopes", "must be names of visible ASCII without quotes and backslashes")
	}
	if err := found.err(); err != nil {
		return nil, err
	}
	if config.Scopes == nil {
		config.Scopes = []string{ScopeCreate, ScopeRead, ScopeRevoke}
	}
	text, err := json.MarshalIndent(metadata{
		Issuer: config.Issuer, TokenEndpoint: config.TokenEndpoint, JWKSURI: config.JWKSURI, Scopes: config.Scopes,
		ResponseTypes: []string{}, GrantTypes: []string{"client_credentials"},
		Authentication: []string{"client_secret_basic", "client_secret_post"},
	}, "", "  ")
	return &MetadataHandler{document(mediaJSON, func() ([]byte, error) { return text, err })}, nil
}

// ServeHTTP implements [http.Handler].
func (h *MetadataHandler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if h == nil || h.next == nil {
		uninitialized(w, r, "MetadataHandler")
		return
	}
	h.next.ServeHTTP(w, r)
}
