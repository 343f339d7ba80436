package httpadapter

import (
	"bytes"
	"crypto/rand"
	_ "embed"
	"html/template"
	"net/http"
	"strings"
)

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
	data.State = state
	text, nonce, err := p.render(data)
	if err != nil {
		p.logger.ErrorContext(r.Context(), "magiclink: the page's template failed", "state", string(state))
		status = http.StatusServiceUnavailable
		text = []byte("This page cannot be shown right now. Please try again later.\n")
		w.Header().Set("Retry-After", retryAfterSeconds)
	}
	p.secure(w.Header(), nonce)
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.WriteHeader(status)
	if r.Method != http.MethodHead {
		_, _ = w.Write(text) //nolint:gosec // G705: html/template has escaped it; a browser that has gone needs no page
	}
}

// render completes the data and builds the page. The error may hold anything that the template was given.
func (p *Page) render(data PageData) (text []byte, nonce string, err error) {
	defer contain(func() { err = errPanic }) // such as that of a template which no constructor has made
	data.Nonce = rand.Text()
	data.Host, data.HomeURL, data.NewLinkURL = p.route.host, p.route.home, p.config.NewLinkURL
	p.look.fillIn(&data)
	var page bytes.Buffer
	err = p.config.Template.Execute(&page, data)
	return page.Bytes(), data.Nonce, err
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
