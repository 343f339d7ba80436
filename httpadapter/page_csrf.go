package httpadapter

import (
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"net/http"
	"net/url"
)

// formCookie binds the form to the browser that was shown it. The prefix keeps other hosts and plain HTTP from setting it.
const formCookie = "__Host-magiclink_form"

// formCookieLength is that of 32 random bytes in base64url.
const formCookieLength = 43

// maxPageForm is the greatest body of a posted form in bytes: a token and a little.
const maxPageForm = 16 << 10

// pageForm is what the confirmation page posts.
type pageForm struct{ token, formToken string }

// readPageForm reports false for whatever our page would not have posted.
func readPageForm(w http.ResponseWriter, r *http.Request) (form pageForm, ok bool) {
	body, fault := readBody(w, r, maxPageForm, "application/x-www-form-urlencoded")
	if fault != nil {
		return pageForm{}, false
	}
	values, err := url.ParseQuery(string(body))
	if err != nil || len(values["token"]) != 1 || len(values["form"]) != 1 {
		return pageForm{}, false
	}
	return pageForm{token: values.Get("token"), formToken: values.Get("form")}, true
}

// ours reports whether the form was made for the browser that posts it, and for this link.
func (f pageForm) ours(r *http.Request) bool {
	secret, ok := formSecret(r)
	return ok && subtle.ConstantTimeCompare([]byte(formToken(secret, f.token)), []byte(f.formToken)) == 1
}

// formToken needs no key: the cookie is the secret, which no other host can read or set. A page on another port of this host
// can; that one is stopped by the cross-origin check.
func formToken(secret, token string) string {
	hash := sha256.Sum256([]byte("magiclink form\x00" + secret + "\x00" + token))
	return base64.RawURLEncoding.EncodeToString(hash[:])
}

// formSecret returns the form cookie. Two cookies of the name are none: one of them may be somebody else's.
func formSecret(r *http.Request) (string, bool) {
	cookies := r.CookiesNamed(formCookie)
	if len(cookies) != 1 || len(cookies[0].Value) != formCookieLength {
		return "", false
	}
	return cookies[0].Value, true
}

// ensureFormCookie keeps the cookie that the browser has, so that several pages can be open at once.
func ensureFormCookie(w http.ResponseWriter, r *http.Request) (secret string) {
	if secret, ok := formSecret(r); ok {
		return secret
	}
	var random [32]byte
	rand.Read(random[:]) // never fails: see its documentation
	secret = base64.RawURLEncoding.EncodeToString(random[:])
	http.SetCookie(w, hostCookie(formCookie, secret, 0))
	return secret
}

func dropFormCookie(w http.ResponseWriter) {
	http.SetCookie(w, hostCookie(formCookie, "", -1))
}
