package signin_test

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/magiclink-go/magiclink/httpadapter"
	"github.com/magiclink-go/magiclink/signin"
)

// visit is what somebody knows who has asked for an address and does not have its mail.
type visit struct {
	address string
	flow    string // the cookie or the flow of the last answer
	code    string // the code to try
	session string // the cookie of a session of somebody else; may be empty
}

func (v *visit) is(kind string) bool { return kindOf(v.address) == kind }

// client is how somebody asks. Each method makes a request; learn reads the answer of one.
type client interface {
	ask(v *visit) *http.Request
	look(v *visit) *http.Request
	resend(v *visit) *http.Request
	code(v *visit) *http.Request
	learn(v *visit, answer *httptest.ResponseRecorder)
}

// pages is a browser.
type pages struct {
	t            *testing.T
	token, forms string // of the form that all visits post
}

func newPages(t *testing.T, s *site) client {
	t.Helper()
	b := s.browser()
	token := b.get("/sign-in").fields(t).Get("form")
	return pages{t, token, "__Host-magiclink_form=" + b.cookies["__Host-magiclink_form"]}
}

func (p pages) request(v *visit, method, path string, form url.Values) *http.Request {
	p.t.Helper()
	r := httptest.NewRequestWithContext(p.t.Context(), method, path, strings.NewReader(form.Encode()))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.Header.Set("Origin", origin)
	cookies := p.forms
	if v.flow != "" {
		cookies += "; " + v.flow
	}
	if v.session != "" {
		cookies += "; " + httpadapter.SessionCookie + "=" + v.session
	}
	r.Header.Set("Cookie", cookies)
	return r
}

func (p pages) ask(v *visit) *http.Request {
	return p.request(v, http.MethodPost, "/sign-in", url.Values{"form": {p.token}, "email": {v.address}})
}

func (p pages) look(v *visit) *http.Request {
	return p.request(v, http.MethodGet, "/sign-in/check", nil)
}

func (p pages) resend(v *visit) *http.Request {
	return p.request(v, http.MethodPost, "/sign-in/resend", url.Values{"form": {p.token}})
}

func (p pages) code(v *visit) *http.Request {
	return p.request(v, http.MethodPost, "/sign-in/check", url.Values{"form": {p.token}, "code": {v.code}})
}

func (p pages) learn(v *visit, answer *httptest.ResponseRecorder) {
	for _, cookie := range answer.Header().Values("Set-Cookie") {
		if strings.HasPrefix(cookie, "__Host-magiclink_signin=") {
			v.flow, _, _ = strings.Cut(cookie, ";")
		}
	}
}

// singlePage is an application that uses the JSON routes. It has no page to wait on, and asks again as it has asked.
type singlePage struct{ t *testing.T }

func newSinglePage(t *testing.T, _ *site) client { t.Helper(); return singlePage{t} }

func (p singlePage) post(path, body string) *http.Request {
	r := httptest.NewRequestWithContext(p.t.Context(), http.MethodPost, path, strings.NewReader(body))
	r.Header.Set("Content-Type", "application/json")
	return r
}

func (p singlePage) ask(v *visit) *http.Request {
	return p.post(signin.RequestJSONPath, `{"email":"`+v.address+`"}`)
}

func (p singlePage) look(v *visit) *http.Request { return p.code(v) }

func (p singlePage) resend(v *visit) *http.Request { return p.ask(v) }

func (p singlePage) code(v *visit) *http.Request {
	return p.post(signin.CodeJSONPath, `{"flow":"`+v.flow+`","code":"`+v.code+`"}`)
}

func (p singlePage) learn(v *visit, answer *httptest.ResponseRecorder) {
	_, rest, found := strings.Cut(answer.Body.String(), `"flow":"`)
	if found {
		v.flow, _, _ = strings.Cut(rest, `"`)
	}
	require.NotEmpty(p.t, v.flow)
}
