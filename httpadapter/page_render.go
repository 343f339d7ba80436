package httpadapter

import (
	"bytes"
	"crypto/rand"
	_ "embed"
	"html/template"
	"net/http"
	"strings"
)

// PageState is which page is shown.
type PageState string

// The pages.
const (
	StateConfirm      PageState = "confirm"       // 200: ask before signing in
	StateDead         PageState = "dead"          // 410: the link is used, expired, revoked, unknown or forged
	StateRefused      PageState = "refused"       // 403: no page that this browser was shown has posted the form; also 405
	StateWrongAddress PageState = "wrong-address" // 403: the form came from another origin than that of the links
	StateNotAdmitted  PageState = "not-admitted"  // 403: Admit or OnRedeem returned ErrRefused
	StateUnavailable  PageState = "unavailable"   // 503: the store does not answer
)

// PageData is the data for a page's template. Control and formatting characters are removed from the texts, so that none
// can change the order in which a text is read.
type PageData struct {
	State      PageState
	App        string       // the name of the application
	Host       string       // the host of the links, where they can be used
	HomeURL    string       // the path "/" on the origin of the links
	NewLinkURL string       // where to ask for a new link; may be empty
	Logo       template.URL // the logo; may be empty
	Icon       template.URL // a small picture with the first letter of App, for <link rel="icon">
	Style      template.CSS // the colours, as custom properties: see page.html
	Nonce      string       // for <style nonce="…">; other styles, and scripts, do not run

	// LinkURL opens the link again, at its own address. It is set in StateRefused, StateWrongAddress, StateNotAdmitted and
	// StateUnavailable where the link is known and not used up by this click.
	LinkURL string

	// LinkUsed says, in StateNotAdmitted, that the link is used up.
	LinkUsed bool

	// Action is the address to which the form is posted, by POST, with the fields "token" and "form". It is set in
	// StateConfirm, and in StateUnavailable where the same click should be tried again.
	Action    string
	Token     string // the field "token"
	FormToken string // the field "form"

	// The rest is for StateConfirm alone.

	Account       string // whom the link signs in, masked: j•••@example.com; empty for a link without an address
	ActiveAccount string // who is signed in already; empty if nobody is
	Destination   string // where the person arrives: host and path, without a query
}

//go:embed page.html
var pageHTML string

var builtIn = template.Must(template.New("page").Funcs(template.FuncMap{"parts": parts}).Parse(pageHTML))

// openAgain is the data of a page whose button opens the link again.
func (p *Page) openAgain(token string) PageData { return PageData{LinkURL: p.route.link(token)} }

// formData is the data of a page that has the form.
func (p *Page) formData(token, secret string) PageData {
	data := p.openAgain(token)
	data.Action, data.Token, data.FormToken = p.route.action, token, formToken(secret, token)
	return data
}

// show writes a page. The page is built first, so that a fault of the template leaves no half a page.
func (p *Page) show(w http.ResponseWriter, r *http.Request, status int, state PageState, data PageData) {
	data.State, data.Nonce = state, rand.Text()
	data.Host, data.HomeURL, data.NewLinkURL = p.route.host, p.route.home, p.config.NewLinkURL
	p.look.fillIn(&data)
	var text bytes.Buffer
	if err := p.config.Template.Execute(&text, data); err != nil {
		p.logger.ErrorContext(r.Context(), "magiclink: the page's template failed", "state", string(state))
		status = http.StatusServiceUnavailable
		text.Reset()
		text.WriteString("This page cannot be shown right now. Please try again later.\n")
		w.Header().Set("Retry-After", retryAfterSeconds)
	}
	p.secure(w.Header(), data.Nonce)
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.WriteHeader(status)
	if r.Method != http.MethodHead {
		_, _ = w.Write(text.Bytes()) // a browser that has gone needs no page
	}
}

// secure sets the headers that every answer of the page has.
//
// The URL of the page holds a credential. Of all policies that keep the URL out of Referer, strict-origin is the one that
// leaves the Origin of the form's POST as it is; no-referrer would make it "null".
//
// Chromium applies form-action also to the redirection after the POST. The directive names the origin of the links, so that
// a form on a page that was opened at another host arrives and gets an answer that explains it.
//
// A redirection has no Cross-Origin-Opener-Policy: WebKitGTK never ends to load where Back meets a redirection with that
// policy and the destination has another one. A redirection shows nothing that the policy could protect.
func (p *Page) secure(header http.Header, nonce string) {
	header.Set("Cache-Control", "no-store")
	header.Set("X-Content-Type-Options", "nosniff")
	header.Set("X-Frame-Options", "DENY")
	header.Set("X-Robots-Tag", "noindex, nofollow")
	header.Set("Referrer-Policy", "strict-origin")
	policy := []string{"default-src 'none'", "base-uri 'none'", "frame-ancestors 'none'", "form-action 'self'"}
	if source := p.route.source(); source != "'self'" {
		policy[3] += " " + source
	}
	if nonce != "" {
		header.Set("Cross-Origin-Opener-Policy", "same-origin")
		policy = append(policy, "img-src "+p.look.images, "style-src 'nonce-"+nonce+"'")
	}
	header.Set("Content-Security-Policy", strings.Join(policy, "; "))
}
