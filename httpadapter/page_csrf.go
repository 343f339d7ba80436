package httpadapter

import (
	"crypto/subtle"
	"net/http"

	"github.com/magiclink-go/magiclink/internal/webform"
)

// maxPageForm is the greatest body of a posted form in bytes: a token and a little.
const maxPageForm = 16 << 10

// pageForm is what the confirmation page posts.
type pageForm struct{ token, formToken, code string }

// readForm reports false for a form that our page would not have posted. The token may be there even then.
func (p *Page) readForm(w http.ResponseWriter, r *http.Request) (form pageForm, complete bool) {
	values, fault := p.readPosted(w, r, maxPageForm)
	if fault != nil {
		return pageForm{}, false
	}
	form = pageForm{token: values.Get("token"), formToken: values.Get("form"), code: values.Get("code")}
	return form, len(values["token"]) == 1 && len(values["form"]) == 1
}

// isMadeFor reports whether the form was made for the browser with this secret, and for this link.
func (f pageForm) isMadeFor(secret string) bool {
	return subtle.ConstantTimeCompare([]byte(formToken(secret, f.token)), []byte(f.formToken)) == 1
}

// formToken needs no key: the cookie is the secret, which no other host can read or set. A page on another port of this
// host can set it; such a page is stopped by its Origin.
func formToken(secret, token string) string { return webform.Digest("magiclink form", secret, token) }

// redeemedBy is the "by" of a redemption: it names this browser and this link, and nobody else can compute it.
func redeemedBy(secret, token string) string {
	return webform.Digest("magiclink page by", secret, token)
}
