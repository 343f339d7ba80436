package httpadapter_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/magiclink-go/magiclink/httpadapter"
)

// What mail programs, gateways and people add to a link is forgiven, and nothing of it is logged.
func TestMangledLinks(t *testing.T) {
	s := newSite(t)
	in := create
	in.Path = "/reports"
	link, _ := s.link(in)
	token := tokenOf(t, link)
	base := s.server.URL + "/magic"
	for name, address := range map[string]string{
		"as it is":                        link,
		"an encoded question mark":        base + "/reports%3Ftoken=" + token,
		"one that was encoded twice":      base + "/reports%253Ftoken=" + token,
		"encoded question mark and =":     base + "/reports%3Ftoken%3D" + token,
		"a full stop behind":              link + ".",
		"three full stops behind":         link + "...",
		"an encoded full stop behind":     link + "%2E",
		"a parenthesis behind":            link + ")",
		"a parenthesis and a full stop":   link + ").",
		"an angle bracket behind":         link + ">",
		"an encoded bracket behind":       link + "%3E",
		"a space behind":                  link + "%20",
		"a plus behind":                   link + "+",
		"a zero-width space behind":       link + "%E2%80%8B",
		"a zero-width space inside":       strings.Replace(link, token, token[:30]+"%E2%80%8B"+token[30:], 1),
		"a zero-width space in the end":   strings.Replace(link, token, token[:len(token)-9]+"%E2%80%8B"+token[len(token)-9:], 1),
		"a space before":                  base + "?token=%20" + token,
		"a zero-width space before":       base + "?token=%E2%80%8B" + token,
		"an angle bracket before":         base + "?token=%3C" + token + "%3E",
		"quoted-printable":                base + "?token=3D" + token,
		"HTML in the query":               base + "?y=1&amp;token=" + token,
		"HTML in the query, encoded":      base + "?y=1&amp%3Btoken=" + token,
		"a parameter of a mail program":   link + "&utm_source=mail",
		"a parameter behind, encoded":     link + "%26utm_source=mail",
		"a comma and a word behind":       link + ",%20thanks",
		"quotation marks around":          base + "?token=%22" + token + "%22",
		"a slash behind the token":        link + "/",
		"a path of its own with a token":  base + "/reports?token=abc&token=" + token,
		"an encoded fragment":             link + "%23top",
		"a line break":                    link + "%0D%0A",
		"a no-break space":                link + "%C2%A0",
		"Japanese punctuation behind":     link + "%E3%80%82",
		"a backslash behind":              link + `%5C`,
		"a semicolon behind":              link + ";",
		"an encoded semicolon and a word": link + "%3Bx",
	} {
		got := s.browser().get(address)
		require.Equal(t, http.StatusOK, got.status, name)
		require.Equal(t, token, got.form(t).fields.Get("token"), name)
		head := s.browser().send(http.MethodHead, address, "")
		require.Equal(t, http.StatusOK, head.status, name)
	}
	for name, address := range map[string]string{
		"a letter behind":   link + "x",
		"a letter missing":  strings.TrimSuffix(link, token[len(token)-1:]),
		"half of it":        strings.TrimSuffix(link, token[len(token)/2:]),
		"another parameter": base + "?mytoken=" + token,
		"in the path":       base + "/" + token,
	} {
		require.Equal(t, http.StatusGone, s.browser().get(address).status, name)
	}
	require.Empty(t, s.log.String())
	require.Equal(t, http.StatusSeeOther, s.browser().click(link+").").status)
}

// aside is a server in which the page is asked before a mux that answers everything with 418.
func aside(t *testing.T, path string) *site {
	t.Helper()
	var s *site
	s = newSiteOf(t, siteSetup{path: path, middleware: func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if s.shown.Matches(r) {
				s.shown.ServeHTTP(w, r)
				return
			}
			if path == "" && strings.HasPrefix(r.URL.Path, "/v0/") {
				next.ServeHTTP(w, r)
				return
			}
			w.WriteHeader(http.StatusTeapot)
		})
	}})
	return s
}

// Addresses that ServeMux would redirect or not find reach the page, with its headers.
func TestMatches(t *testing.T) {
	s := aside(t, "/magic")
	link, _ := s.link(create)
	query := "?token=" + tokenOf(t, link)
	for address, want := range map[string]int{
		"/magic" + query: 200, "/magic/" + query: 200, "/magic/x" + query: 200, "//magic/x" + query: 200, "/magic//x" + query: 200,
		"/x/../magic" + query: 200, "/magic/../magic/x" + query: 200, "/magic%3F" + query[1:]: 200, "/magic%253F" + query[1:]: 200,
		"/magic": 410, "/magic/": 410, "/magic/x": 410, "/magic?token=abc": 410,
		"/": 418, "/" + query: 418, "/magical" + query: 418, "/magic/.." + query: 418, "/x/magic" + query: 418, "/MAGIC" + query: 418,
	} {
		got := s.browser().get(s.server.URL + address)
		require.Equal(t, want, got.status, address)
		if want != http.StatusTeapot {
			requireSecure(t, got)
		}
	}
	require.Equal(t, http.StatusMethodNotAllowed, s.browser().send(http.MethodPut, s.server.URL+"/magic/x", "").status)
	require.Equal(t, http.StatusSeeOther, s.browser().click(link).status)
}

// A base URL at the root takes over no address of the application: only what reads as a link's token of ours.
func TestMatchesAtTheRoot(t *testing.T) {
	s := aside(t, "")
	link, _ := s.link(create)
	query := "?token=" + tokenOf(t, link)
	access := "?token=eyJhbGciOiJFZERTQSIsImtpZCI6ImsiLCJ0eXAiOiJhdCtqd3QifQ.e30.c2lnbmF0dXJl" // its type is at+jwt
	for address, want := range map[string]int{
		"/" + query: 200, "/reports" + query: 200, "//reports" + query: 200, "/reports%3F" + query[1:] + ".": 200,
		"/" + query + "x": 418, "/": 418, "/reset-password?token=abc": 418, "/invite?token=abc": 418, "/?token=": 418,
		"/invite" + access: 418, "/?magiclink": 418,
	} {
		require.Equal(t, want, s.browser().get(s.server.URL+address).status, address)
	}
	for address, want := range map[string]int{"/": 418, "/?magiclink": 403, "/?magiclink=1": 418, "/login?magiclink": 418, "/?a=b": 418} {
		got := s.browser().send(http.MethodPost, s.server.URL+address, "a=b", "Content-Type", typeForm, "Origin", s.server.URL)
		require.Equal(t, want, got.status, address)
	}
	b := s.browser()
	shown := b.get(link)
	require.Equal(t, s.server.URL+"/?magiclink", shown.form(t).action)
	got := b.post(shown.form(t))
	require.Equal(t, http.StatusSeeOther, got.status)
	require.Equal(t, s.server.URL+"/reports?y=1#top", got.header.Get("Location"))
	require.Equal(t, http.StatusSeeOther, b.get(link).status)
}

// The policy's grammar has no IPv6 addresses, and default ports are left out of an Origin.
func TestFormAction(t *testing.T) {
	for base, want := range map[string]struct{ policy, origin string }{
		"https://app.example.com/magic":     {"form-action 'self' https://app.example.com;", "https://app.example.com"},
		"https://app.example.com:443/magic": {"form-action 'self' https://app.example.com;", "https://app.example.com"},
		"https://app.example.com:8443":      {"form-action 'self' https://app.example.com:8443;", "https://app.example.com:8443"},
		"http://localhost:80/magic":         {"form-action 'self' http://localhost;", "http://localhost"},
		"http://[::1]:8080/magic":           {"form-action 'self';", "http://[::1]:8080"},
	} {
		s := newSiteOf(t, siteSetup{path: "/unused", baseURL: base})
		link, _ := s.link(create)
		w := httptest.NewRecorder()
		s.shown.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/?token="+tokenOf(t, link), nil))
		require.Equal(t, http.StatusOK, w.Code)
		require.Contains(t, w.Header().Get("Content-Security-Policy"), want.policy)
		f := view{body: w.Body.String()}.form(t)
		name := formCookie
		if strings.HasPrefix(base, "http:") {
			name = strings.TrimPrefix(formCookie, "__Host-")
		}
		cookie := w.Result().Cookies()[0]
		require.Equal(t, name, cookie.Name)
		got := post(s.shown, typeForm, f.fields.Encode(), "Origin", want.origin, "Cookie", name+"="+cookie.Value)
		require.Equal(t, http.StatusSeeOther, got.Code, base)
	}
}

// A Page that NewPage has not made answers 503 and takes over nothing.
func TestPageThatWasNotMade(t *testing.T) {
	for _, page := range []*httpadapter.Page{nil, new(httpadapter.Page)} {
		w := httptest.NewRecorder()
		page.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/magic?token=abc", nil))
		require.Equal(t, http.StatusServiceUnavailable, w.Code)
		require.False(t, page.Matches(httptest.NewRequest(http.MethodGet, "/magic", nil)))
	}
	s := newSite(t)
	require.True(t, s.shown.Matches(httptest.NewRequest(http.MethodGet, "/magic", nil)), "the control")
	r := httptest.NewRequest(http.MethodGet, "/", nil)
	r.URL.Path = ""
	require.False(t, s.shown.Matches(r))
}
