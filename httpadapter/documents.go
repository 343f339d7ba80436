package httpadapter

import (
	_ "embed"
	"log/slog"
	"net/http"

	"github.com/magiclink-go/magiclink"
)

// The usual paths of the documents.
const (
	OpenAPIPath = "/openapi.yaml"
	JWKSPath    = "/.well-known/jwks.json"
)

//go:embed openapi.yaml
var openAPI []byte

// OpenAPI serves the OpenAPI 3.1 document of all routes of this package, as YAML.
func OpenAPI() http.Handler {
	return document("application/yaml", func() ([]byte, error) { return openAPI, nil })
}

// JWKS serves the public keys of the ring as they are at each request (RFC 7517 section 5), so that others can verify what
// it signs. Clients may keep them for a minute. An HS256 ring has none.
func JWKS(keys *magiclink.Keyring) http.Handler {
	return document("application/jwk-set+json", keys.PublicJWKS)
}

// document answers GET and HEAD with a public text.
func document(mediaType string, text func() ([]byte, error)) http.Handler {
	return readOnly(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := text()
		if err != nil {
			unavailable(err).write(w, r, slog.Default())
			return
		}
		w.Header().Set("Content-Type", mediaType)
		w.Header().Set("Cache-Control", "public, max-age=60")
		w.Header().Set("X-Content-Type-Options", "nosniff")
		_, _ = w.Write(body) // a client that has gone needs no answer
	}))
}

// readOnly answers every method but GET and HEAD with 405.
func readOnly(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodGet && r.Method != http.MethodHead {
			fault := &problem{status: http.StatusMethodNotAllowed, code: "use GET", allow: "GET, HEAD"}
			fault.write(w, r, slog.Default())
			return
		}
		next.ServeHTTP(w, r)
	})
}
