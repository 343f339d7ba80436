package main

import (
	"encoding/base64"
	"encoding/json"
	"net/http"
	"strings"

	"github.com/magiclink-go/magiclink"
)

// followUnknownKeys has the key file read before a request is handled whose token names a key that this process does not
// have: "magiclink keys" may have changed the keys a moment ago. It looks at tokens in the query, in the Authorization
// header and in cookies. It verifies nothing.
func followUnknownKeys(keys *magiclink.Keyring, f *follower, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if hasUnknownKey(keys, r) {
			f.lookNow(r.Context())
		}
		next.ServeHTTP(w, r)
	})
}

func hasUnknownKey(keys *magiclink.Keyring, r *http.Request) bool {
	if _, token, ok := strings.Cut(r.Header.Get("Authorization"), " "); ok && namesUnknownKey(keys, token) {
		return true
	}
	if r.URL.RawQuery != "" && namesUnknownKey(keys, magiclink.TokenOf(r.URL.RequestURI())) {
		return true
	}
	for _, cookie := range r.Cookies() {
		if namesUnknownKey(keys, cookie.Value) {
			return true
		}
	}
	return false
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
