package httpadapter

import (
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"net/http"
)

// formSecretLength is the length of 32 random bytes in base64url.
const formSecretLength = 43

// maxPageForm is the greatest body of a posted form in bytes: a token and a little.
const maxPageForm = 16 << 10

// pageForm is what the confirmation page posts.
type pageForm struct{ token, formToken string }

// readPageForm reports false for a form that our page would not have posted. The token may be there even then.
func readPageForm(w http.ResponseWriter, r *http.Request) (form pageForm, complete bool) {
	values, fault := readForm(w, r, maxPageForm)
	if fault != nil {
		return pageForm{}, false
	}
	form = pageForm{token: values.Get("token"), formToken: values.Get("form")}
	return form, len(values["token"]) == 1 && len(values["form"]) == 1
}

// isMadeFor reports whether the form was made for the browser with this secret, and for this link.
func (f pageForm) isMadeFor(secret string) bool {
	return subtle.ConstantTimeCompare([]byte(formToken(secret, f.token)), []byte(f.formToken)) == 1
}

// formToken needs no key: the cookie is the secret, which no other host can read or set. A page on another port of this
// host can set it; such a page is stopped by its Origin.
func formToken(secret, token string) string { return hashOf("magiclink form", secret, token) }

// redeemedBy is the "by" of a redemption: it names this browser and this link, and nobody else can compute it.
func redeemedBy(secret, token string) string { return hashOf("magiclink page by", secret, token) }

func hashOf(purpose, secret, token string) string {
	hash := sha256.Sum256([]byte(purpose + "\x00" + secret + "\x00" + token))
	return base64.RawURLEncoding.EncodeToString(hash[:])
}

// formSecret returns the value of the form cookie.
func (c cookieNamer) formSecret(r *http.Request) (string, bool) {
	secret, found := c.value(r, formCookie)
	return secret, found && len(secret) == formSecretLength
}

// ensureFormCookie keeps the cookie that the browser has, so that several pages can be open at once. The cookie also stays
// after a click: the browser needs it to send the same click again, and the forms in other tabs depend on it.
func (c cookieNamer) ensureFormCookie(w http.ResponseWriter, r *http.Request) (secret string) {
	if secret, found := c.formSecret(r); found {
		return secret
	}
	var random [32]byte
	rand.Read(random[:]) // never fails: see its documentation
	secret = base64.RawURLEncoding.EncodeToString(random[:])
	http.SetCookie(w, c.make(formCookie, secret, 0))
	return secret
}
