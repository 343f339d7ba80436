package main

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"io"
	"net/http"
	"strings"

	"github.com/magiclink-go/magiclink"
	"github.com/magiclink-go/magiclink/httpadapter"
)

// followUnknownKeys has the key file read before a request is handled whose token names a key that this process does not
// have: "magiclink keys" may have changed the keys a moment ago. It verifies nothing.
func followUnknownKeys(keys *magiclink.Keyring, f *follower, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		for _, token := range tokensOf(r) {
			if namesUnknownKey(keys, token) {
				f.lookNow(r.Context())
				break
			}
		}
		next.ServeHTTP(w, r)
	})
}

// tokensOf returns what can be a token in the Authorization header, the query, the cookies, and the body of the route that
// redeems links as JSON. The page needs no look into its form: it was shown for the same token before.
func tokensOf(r *http.Request) (tokens []string) {
	if _, token, ok := strings.Cut(r.Header.Get("Authorization"), " "); ok {
		tokens = append(tokens, token)
	}
	if strings.Contains(r.URL.RawQuery, "eyJ") {
		tokens = append(tokens, magiclink.TokenOf(r.URL.RequestURI()))
	}
	for _, cookie := range r.Cookies() {
		tokens = append(tokens, cookie.Value)
	}
	if r.Method == http.MethodPost && r.URL.Path == httpadapter.RedeemPath {
		tokens = append(tokens, peekToken(r))
	}
	return tokens
}

// maxPeeked bounds what is read of a body before its handler reads it, in bytes.
const maxPeeked = 8 << 10

// peekToken returns the first token in the body, and leaves the body as it was. An error comes again when the handler reads.
func peekToken(r *http.Request) string {
	head, _ := io.ReadAll(io.LimitReader(r.Body, maxPeeked))
	r.Body = struct {
		io.Reader
		io.Closer
	}{io.MultiReader(bytes.NewReader(head), r.Body), r.Body}
	_, token, ok := strings.Cut(string(head), "eyJ")
	if !ok {
		return ""
	}
	return "eyJ" + token
}

func namesUnknownKey(keys *magiclink.Keyring, token string) bool {
	head, _, isToken := strings.Cut(token, ".")
	if !isToken || !strings.HasPrefix(head, "eyJ") || len(head) > 1024 {
		return false
	}
	decoded, err := base64.RawURLEncoding.DecodeString(head)
	if err != nil {
		return false
	}
	var header struct {
		KID string `json:"kid"`
	}
	if json.Unmarshal(decoded, &header) != nil || header.KID == "" {
		return false
	}
	for _, key := range keys.Keys() {
		if key.ID == header.KID {
			return false
		}
	}
	return true
}
