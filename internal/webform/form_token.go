package webform

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"net/http"
)

// FormCookie is the cookie to which the forms of all pages are bound, over https.
const FormCookie = "__Host-magiclink_form"

// SecretLength is the length of what NewSecret returns: 32 bytes in base64url.
const SecretLength = 43

// NewSecret returns 32 random bytes in base64url.
func NewSecret() string {
	var random [32]byte
	rand.Read(random[:]) // never fails: see its documentation
	return base64.RawURLEncoding.EncodeToString(random[:])
}

// Digest is the SHA-256 of a secret and a text for one purpose, in base64url. The purpose keeps the digests of one secret apart; it has no
// zero byte, and neither has the secret.
func Digest(purpose, secret, text string) string {
	hash := sha256.Sum256([]byte(purpose + "\x00" + secret + "\x00" + text))
	return base64.RawURLEncoding.EncodeToString(hash[:])
}

// FormSecret returns the value of the form cookie.
func (c Cookies) FormSecret(r *http.Request) (string, bool) {
	secret, found := c.Value(r, FormCookie)
	return secret, found && len(secret) == SecretLength
}

// EnsureFormSecret keeps the cookie that the browser has, so that several pages can be open at once. The cookie also stays after a
// form was posted: the browser needs it to send the same form again, and the forms in other tabs depend on it.
func (c Cookies) EnsureFormSecret(w http.ResponseWriter, r *http.Request) (secret string) {
	if secret, found := c.FormSecret(r); found {
		return secret
	}
	secret = NewSecret()
	http.SetCookie(w, c.Make(FormCookie, secret, 0))
	return secret
}
