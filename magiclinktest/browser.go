package magiclinktest

import (
	"errors"
	"io"
	"maps"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
)

// Handler returns a transport that hands every request to the handler, whatever its host. Nothing goes over a network.
func Handler(handler http.Handler) http.RoundTripper { return inProcess{handler} }

type inProcess struct{ handler http.Handler }

// RoundTrip implements [http.RoundTripper].
func (p inProcess) RoundTrip(r *http.Request) (*http.Response, error) {
	inner := httptest.NewRequestWithContext(r.Context(), r.Method, r.URL.String(), r.Body)
	inner.Header, inner.ContentLength, inner.Host = r.Header.Clone(), r.ContentLength, r.URL.Host
	recorder := httptest.NewRecorder()
	p.handler.ServeHTTP(recorder, inner)
	response := recorder.Result()
	response.Request = r
	return response, nil
}

// Browser is one browser on one device: it has cookies of its own. Make one with [NewBrowser]. It is for one goroutine.
type Browser struct {
	// Header is sent with every request, and replaces what the browser would send itself: with another Origin and Sec-Fetch-Site a form comes
	// from a page of another site. NewBrowser sets a User-Agent and an Accept-Language.
	Header http.Header

	tb     testing.TB
	client *http.Client
	page   *Page // the last one; nil before the first one
}

// NewBrowser returns a browser without cookies. Pass [Handler] of the application, or a transport such as [http.DefaultTransport] to talk
// to a server that runs.
func NewBrowser(tb testing.TB, transport http.RoundTripper) *Browser {
	tb.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		tb.Fatal(err)
	}
	return &Browser{
		Header: http.Header{
			"User-Agent":      {"Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"},
			"Accept-Language": {"en"},
			"Accept":          {"text/html,application/xhtml+xml"},
		},
		tb: tb, client: &http.Client{Transport: transport, Jar: jar},
	}
}

// NewPhone returns a browser that says it is one of a phone.
func NewPhone(tb testing.TB, transport http.RoundTripper) *Browser {
	tb.Helper()
	b := NewBrowser(tb, transport)
	b.Header.Set("User-Agent",
		"Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.5 Mobile/15E148 Safari/604.1")
	return b
}

// Open goes to an address, such as a link of a mail, and follows redirections. A local path such as "/reports" is one on the host of the page on
// which the browser is.
func (b *Browser) Open(address string) *Page {
	b.tb.Helper()
	if b.page != nil {
		if target, err := b.page.URL.Parse(address); err == nil {
			address = target.String()
		}
	}
	request, err := http.NewRequestWithContext(b.tb.Context(), http.MethodGet, address, nil)
	if err == nil && request.URL.Host == "" {
		err = errors.New("the first address that a browser opens must be absolute, such as https://app.example.com/reports")
	}
	if err != nil {
		b.tb.Fatalf("magiclinktest: open %q: %v", address, err)
	}
	request.Header.Set("Sec-Fetch-Site", "none")
	return b.send(request)
}

// Cookie returns the value of a cookie that the browser would send to the address, or "".
func (b *Browser) Cookie(address, name string) string {
	target, err := url.Parse(address)
	if err != nil {
		return ""
	}
	for _, cookie := range b.client.Jar.Cookies(target) {
		if cookie.Name == name {
			return cookie.Value
		}
	}
	return ""
}

// Scan does with a link what a scanner of a mail gateway does: it opens the link with HEAD and with GET, keeps the cookies, follows every
// link of the page and presses every button, typing nothing. It returns the pages that it has seen.
func (b *Browser) Scan(address string) []*Page {
	b.tb.Helper()
	head, err := http.NewRequestWithContext(b.tb.Context(), http.MethodHead, address, nil)
	if err != nil {
		b.tb.Fatalf("magiclinktest: scan %q: %v", address, err)
	}
	page := b.Open(address)
	seen := []*Page{b.send(head), page}
	for _, target := range page.links() {
		seen = append(seen, b.Open(target.String()))
	}
	for _, form := range page.forms() {
		for _, button := range form.buttons {
			seen = append(seen, b.submit(page, form, form.values(button, nil)))
		}
	}
	return seen
}

func (b *Browser) send(request *http.Request) *Page {
	b.tb.Helper()
	maps.Copy(request.Header, b.Header)
	response, err := b.client.Do(request)
	if err != nil {
		b.tb.Fatalf("magiclinktest: %s: %v", request.Method, err)
	}
	defer func() { _ = response.Body.Close() }()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		b.tb.Fatalf("magiclinktest: read the page: %v", err)
	}
	b.page = &Page{
		Status: response.StatusCode, URL: response.Request.URL, Header: response.Header, Body: string(body),
		browser: b, method: response.Request.Method,
	}
	return b.page
}

// submit sends a form as a browser does that is on the page.
func (b *Browser) submit(page *Page, form form, fields url.Values) *Page {
	b.tb.Helper()
	target := *form.action(page.URL)
	var body io.Reader
	if form.method == http.MethodPost {
		body = strings.NewReader(fields.Encode())
	} else {
		target.RawQuery = fields.Encode()
	}
	request, err := http.NewRequestWithContext(b.tb.Context(), form.method, target.String(), body)
	if err != nil {
		b.tb.Fatalf("magiclinktest: submit a form: %v", err)
	}
	request.Header.Set("Sec-Fetch-Site", siteOf(page.URL, &target))
	if form.method == http.MethodPost {
		request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		request.Header.Set("Origin", page.URL.Scheme+"://"+page.URL.Host)
	}
	return b.send(request)
}

func siteOf(from, to *url.URL) string {
	if from.Scheme == to.Scheme && from.Host == to.Host {
		return "same-origin"
	}
	return "cross-site"
}
