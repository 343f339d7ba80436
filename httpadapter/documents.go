package httpadapter

import (
	_ "embed"
	"encoding/json"
	"log/slog"
	"net/http"

	"github.com/magiclink-go/magiclink"
)

// The usual paths of the documents.
const (
	OpenAPIPath     = "/openapi.yaml"
	OpenAPIJSONPath = "/openapi.json"
	JWKSPath        = "/.well-known/jwks.json"
)

//go:embed openapi.yaml
var openAPI []byte

//go:embed openapi.json
var openAPIJSON []byte

// OpenAPIHandler serves the OpenAPI 3.1 document of all routes of this package, as YAML.
func OpenAPIHandler() http.Handler {
	return document("application/yaml", func() ([]byte, error) { return openAPI, nil })
}

// OpenAPIJSONHandler serves the same document as JSON.
func OpenAPIJSONHandler() http.Handler {
	return document(mediaJSON, func() ([]byte, error) { return openAPIJSON, nil })
}

// JWKSHandler serves the public keys of the rings as they are at each request (RFC 7517 section 5), so that others can
// verify what the rings sign. Clients may keep them for a minute. A ring with a shared secret (HS256) has no public keys,
// and a nil ring counts as empty. Where SessionKeys of the [magiclink.Config] differ from Keys, pass both.
func JWKSHandler(keys ...*magiclink.Keyring) http.Handler {
	return document("application/jwk-set+json", func() ([]byte, error) { return publicJWKS(keys) })
}

type jwkSet struct {
	Keys []json.RawMessage `json:"keys"`
}

// publicJWKS joins the sets of several rings. A key that is in several of them stands in the result once.
func publicJWKS(rings []*magiclink.Keyring) ([]byte, error) {
	joined, seen := jwkSet{Keys: []json.RawMessage{}}, map[string]bool{}
	for _, ring := range rings {
		if ring == nil {
			continue
		}
		text, err := ring.PublicJWKS()
		if err != nil {
			return nil, err
		}
		var set jwkSet
		if err := json.Unmarshal(text, &set); err != nil {
			return nil, err
		}
		for _, key := range set.Keys {
			if !seen[string(key)] {
				seen[string(key)] = true
				joined.Keys = append(joined.Keys, key)
			}
		}
	}
	return json.MarshalIndent(joined, "", "  ")
}

// document answers GET and HEAD with a public text, which pages of every origin may read.
func document(mediaType string, text func() ([]byte, error)) http.Handler {
	return readOnly(slog.Default(), http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		header := w.Header()
		header.Set("Access-Control-Allow-Origin", "*")
		body, err := text()
		if err != nil {
			unavailable(err).write(w, r, slog.Default())
			return
		}
		header.Set("Content-Type", mediaType)
		header.Set("Cache-Control", "public, max-age=60")
		header.Set("X-Content-Type-Options", "nosniff")
		_, _ = w.Write(body) // a client that has gone needs no answer
	}))
}

// readOnly answers every method but GET and HEAD with 405.
func readOnly(logger *slog.Logger, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodGet && r.Method != http.MethodHead {
			fault := &problem{status: http.StatusMethodNotAllowed, code: "use GET", allow: "GET, HEAD"}
			fault.write(w, r, logger)
			return
		}
		next.ServeHTTP(w, r)
	})
}
