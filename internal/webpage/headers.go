package webpage

import (
	"net/http"
	"strings"
)

// retryAfterSeconds is how long an answer without its page asks the browser to wait.
const retryAfterSeconds = "2"

// Show answers with a page in the language of the request. It builds the page before it writes anything, so that a failure leaves
// no half a page: the answer is 503 then, and Show returns the error of build.
func (l Look) Show(w http.ResponseWriter, r *http.Request, status int, build func(Frame) ([]byte, error)) error {
	frame := l.Frame(l.Choose(w, r))
	text, err := build(frame)
	if err != nil {
		status = http.StatusServiceUnavailable
		text = []byte("This page cannot be shown right now. Please try again later.\n")
		w.Header().Set("Retry-After", retryAfterSeconds)
	}
	l.Secure(w.Header(), frame.Nonce)
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.WriteHeader(status)
	if r.Method != http.MethodHead {
		_, _ = w.Write(text) // a browser that has gone needs no page
	}
	return err
}

// Secure sets the headers that every answer of a page has. The nonce is that of the frame, and empty for an answer without a
// page, such as a redirection.
//
// The URL of a page may hold a credential. Of all policies that keep the URL out of Referer, strict-origin is the one that
// leaves the Origin of the form's POST as it is; no-referrer would make it "null".
//
// Chromium applies form-action also to the redirection after the POST. The directive names the origin of the pages, so that
// a form on a page that was opened at another host arrives and gets an answer that explains it.
//
// A redirection has no Cross-Origin-Opener-Policy: WebKitGTK never ends to load where Back meets a redirection with that
// policy and the destination has another one. A redirection shows nothing that the policy could protect.
func (l Look) Secure(header http.Header, nonce string) {
	header.Set("Cache-Control", "no-store")
	header.Set("X-Content-Type-Options", "nosniff")
	header.Set("X-Frame-Options", "DENY")
	header.Set("X-Robots-Tag", "noindex, nofollow")
	header.Set("Referrer-Policy", "strict-origin")
	policy := []string{"default-src 'none'", "base-uri 'none'", "frame-ancestors 'none'", "form-action " + l.formsAt}
	if nonce != "" {
		header.Set("Cross-Origin-Opener-Policy", "same-origin")
		policy = append(policy, "img-src "+l.images, "style-src 'nonce-"+nonce+"'")
	}
	header.Set("Content-Security-Policy", strings.Join(policy, "; "))
}
