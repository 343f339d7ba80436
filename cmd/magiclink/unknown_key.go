package main

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/magiclink-go/magiclink"
	"github.com/magiclink-go/magiclink/httpadapter"
)

// followUnknownKeys has the key file read before a request is handled whose token names a key that this process does not
// have: "magiclink keys" may have changed the keys a moment ago. A token that names an unknown key all the same may be of another replica.
// It verifies nothing.
func followUnknownKeys(keys *magiclink.Keyring, f *follower, others *foreignKeys, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		r, body := peek(w, r)
		for _, token := range append(tokensOf(r), tokenIn(body)) {
			if unknownKey(keys, token) == "" {
				continue
			}
			f.lookNow(r.Context())
			if kid := unknownKey(keys, token); kid != "" {
				others.look(r.Context(), kid, token)
			}
			break
		}
		next.ServeHTTP(w, r)
	})
}

// tokensOf returns what can be a token in the Authorization header, the query and the cookies.
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
	return tokens
}

// maxPeeked bounds what is read of a body before its handler reads it, in bytes, and peekTime how long that may take: as long
// as the handler gives a body.
const (
	maxPeeked = 8 << 10
	peekTime  = 5 * time.Second
)

// peek returns the beginning of the body of the route that redeems links as JSON, and a request whose body is as it was. The
// page needs no look into its form: it was shown for the same token before. A handler gets the error of a body that could not
// be read, and does not wait for that body once more.
func peek(w http.ResponseWriter, r *http.Request) (same *http.Request, head string) {
	if r.Method != http.MethodPost || r.URL.Path != httpadapter.RedeemPath || r.ContentLength == 0 {
		return r, ""
	}
	_ = http.NewResponseController(w).SetReadDeadline(time.Now().Add(peekTime)) // net/http's writer has one
	text, err := io.ReadAll(io.LimitReader(r.Body, maxPeeked))
	same = r.WithContext(r.Context()) // a copy, for what net/http itself knows of the body stays true
	if err != nil {
		same.Body, same.ContentLength = io.NopCloser(failing{err}), 0 // nothing more comes
		return same, ""
	}
	same.Body = struct {
		io.Reader
		io.Closer
	}{io.MultiReader(bytes.NewReader(text), r.Body), r.Body}
	return same, string(text)
}

// failing is a body that could not be read.
type failing struct{ err error }

// Read implements [io.Reader].
func (f failing) Read([]byte) (int, error) { return 0, f.err }

// tokenIn returns what can be the first token in a text.
func tokenIn(text string) string {
	_, token, ok := strings.Cut(text, "eyJ")
	if !ok {
		return ""
	}
	return "eyJ" + token
}

// unknownKey returns the id of the key that the token names, if the keys do not have it.
func unknownKey(keys *magiclink.Keyring, token string) (kid string) {
	var header struct {
		KID string `json:"kid"`
	}
	if !readPart(token, 0, &header) {
		return ""
	}
	for _, key := range keys.Keys() {
		if key.ID == header.KID {
			return ""
		}
	}
	return header.KID
}

// maxPart bounds a part of a token that is read here, in bytes.
const maxPart = 1024

// readPart decodes a part of a token that nobody has verified: the header is 0, and the payload 1.
func readPart(token string, part int, to any) (ok bool) {
	parts := strings.SplitN(token, ".", 3)
	if len(parts) < part+2 || !strings.HasPrefix(token, "eyJ") || len(parts[part]) > maxPart {
		return false
	}
	decoded, err := base64.RawURLEncoding.DecodeString(parts[part])
	return err == nil && json.Unmarshal(decoded, to) == nil
}
