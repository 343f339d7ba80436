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
	StateConfirm     PageState = "confirm"     // 200: ask before signing in
	StateDead        PageState = "dead"        // 410: the link is used, expired, revoked, unknown or forged
	StateRefused     PageState = "refused"     // 403 or 405: the form was not posted by our page
	StateUnavailable PageState = "unavailable" // 503: the store does not answer
)

// PageData is what a page's template is given.
type PageData struct {
	State      PageState
	App        string // what the application is called
	NewLinkURL string // where to ask for a new link; may be empty
	Nonce      string // for <style nonce="…">; other styles, and scripts, do not run

	// Of StateConfirm alone:

	Account       string // whom the link signs in, masked: j•••@example.com; empty if it was issued without an address
	ActiveAccount string // who is signed in already; empty if nobody is
	Destination   string // where one arrives: host and path, without a query
	Action        string // what the form posts to, by POST, with these two fields:
	Token         string // the field "token"
	FormToken     string // the field "form"
}

//go:embed page.html
var pageHTML string

// parts splits a path where a line may end.
func parts(path string) []string { return strings.SplitAfter(path, "/") }

var builtIn = template.Must(template.New("page").Funcs(template.FuncMap{"parts": parts}).Parse(pageHTML))

// show writes a page. It is built first, so that a fault of the template leaves no half a page.
func (p *Page) show(w http.ResponseWriter, r *http.Request, status int, data PageData) {
	data.App, data.NewLinkURL, data.Nonce = p.app, p.newLinkURL, rand.Text()
	var text bytes.Buffer
	if err := p.template.Execute(&text, data); err != nil {
		p.logger.ErrorContext(r.Context(), "magiclink: the page's template failed", "state", string(data.State))
		status = http.StatusServiceUnavailable
		text.Reset()
		text.WriteString("This page cannot be shown right now. Please try again later.\n")
		w.Header().Set("Retry-After", retryAfterSeconds)
	}
	secure(w.Header(), data.Nonce)
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.WriteHeader(status)
	if r.Method != http.MethodHead {
		_, _ = w.Write(text.Bytes()) // a browser that has gone needs no page
	}
}

// secure sets what every answer of the page has.
//
// The URL of the page holds a credential. Of all policies that keep it out of Referer, strict-origin is the one that leaves
// the Origin of the form's POST as it is; no-referrer would make it "null".
func secure(header http.Header, nonce string) {
	header.Set("Cache-Control", "no-store")
	header.Set("X-Content-Type-Options", "nosniff")
	header.Set("X-Frame-Options", "DENY")
	header.Set("X-Robots-Tag", "noindex, nofollow")
	header.Set("Referrer-Policy", "strict-origin")
	header.Set("Cross-Origin-Opener-Policy", "same-origin")
	policy := "default-src 'none'; base-uri 'none'; frame-ancestors 'none'; form-action 'self'"
	if nonce != "" {
		policy += "; style-src 'nonce-" + nonce + "'"
	}
	header.Set("Content-Security-Policy", policy)
}

// destinationPath is the path to show, without what may be secret or long.
func destinationPath(path string) string {
	path, _, _ = strings.Cut(path, "#")
	path, _, _ = strings.Cut(path, "?")
	if path == "" {
		return "/"
	}
	return path
}
