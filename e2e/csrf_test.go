package e2e_test

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// What a POST to the redemption page may come with, in each respect.
var (
	sites   = []string{"", "none", "same-origin", "same-site", "cross-site"} // Sec-Fetch-Site
	origins = []string{"", "own", "foreign", "null"}
	cookies = []string{"", "right", "other", "doubled"}
	tokens  = []string{"", "right", "of another link", "garbage"}
)

// posting is one combination of them.
type posting struct{ site, origin, cookie, token string }

// signsIn is the whole rule. An Origin decides alone: a browser cannot be made to lie in it. Without an Origin,
// Sec-Fetch-Site decides. A request with neither comes from no browser of today: cookie and token alone decide.
func (p posting) signsIn() bool {
	switch p.origin {
	case "foreign", "null":
		return false
	case "":
		if p.site == "same-site" || p.site == "cross-site" {
			return false
		}
	}
	return p.cookie == "right" && p.token == "right"
}

func postings() (all []posting) {
	for _, site := range sites {
		for _, origin := range origins {
			for _, cookie := range cookies {
				for _, token := range tokens {
					all = append(all, posting{site, origin, cookie, token})
				}
			}
		}
	}
	return all
}

func TestForgedPosts(t *testing.T) {
	t.Parallel()
	s := start(t)
	target, other := s.issue("/reports"), s.issue("/other")
	victim := s.openForm(target, "")
	stranger := s.openForm(target, "")
	ofOther := s.openForm(other, victim.cookie)
	signedIn := 0
	for _, p := range postings() {
		name := fmt.Sprintf("%+v", p)
		l, f := target, victim
		if p.signsIn() {
			l = s.issue("/reports") // a link of its own, since it is used up
			f = s.openForm(l, victim.cookie)
		}
		header := http.Header{"Content-Type": {"application/x-www-form-urlencoded"}}
		set(header, "Sec-Fetch-Site", p.site)
		set(header, "Origin", map[string]string{"own": s.Origin, "foreign": "https://evil.example", "null": "null"}[p.origin])
		set(header, "Cookie", map[string]string{
			"right":   plainFormCookie + "=" + f.cookie,
			"other":   plainFormCookie + "=" + stranger.cookie,
			"doubled": plainFormCookie + "=" + f.cookie + "; " + plainFormCookie + "=" + stranger.cookie,
		}[p.cookie])
		body := url.Values{"token": {f.token}}
		if p.token != "" {
			body.Set("form", map[string]string{
				"right": f.formToken, "of another link": ofOther.formToken, "garbage": strings.Repeat("A", len(f.formToken)),
			}[p.token])
		}

		got := send(t, http.MethodPost, s.BaseURL, body.Encode(), header)
		if p.signsIn() {
			signedIn++
			require.Equal(t, http.StatusSeeOther, got.Status, name)
			require.True(t, slices.ContainsFunc(got.Header.Values("Set-Cookie"), isSession), name)
			require.True(t, s.record(l).consumed.Valid, name)
			continue
		}
		require.Equal(t, http.StatusForbidden, got.Status, name)
		require.Empty(t, got.Header.Values("Set-Cookie"), name)
		require.Equal(t, http.StatusOK, send(t, http.MethodGet, target.url, "", nil).Status, "the link is usable after %s", name)
	}
	require.Len(t, postings(), 320)
	require.Equal(t, 8, signedIn)
	s.requireLive(target)
	s.requireLive(other)
}

func set(header http.Header, name, value string) {
	if value != "" {
		header.Set(name, value)
	}
}

func isSession(cookie string) bool { return strings.HasPrefix(cookie, plainSessionCookie+"=") }

// TestForgedShapes posts what the form would never be, with everything else right.
func TestForgedShapes(t *testing.T) {
	t.Parallel()
	s := start(t)
	l := s.issue("/reports")
	f := s.openForm(l, "")
	right := url.Values{"token": {f.token}, "form": {f.formToken}}.Encode()
	for name, tt := range map[string]struct{ address, contentType, body string }{
		"fields in the query": {address: s.BaseURL + "?" + right},
		"a token twice":       {body: right + "&token=" + f.token},
		"a form token twice":  {body: right + "&form=" + f.formToken},
		"text":                {contentType: "text/plain", body: right},
		"no type":             {contentType: "-", body: right},
		"JSON":                {contentType: "application/json", body: `{"token":"` + f.token + `","form":"` + f.formToken + `"}`},
		"a broken escape":     {body: right + "&a=%zz"},
		"much":                {body: right + "&a=" + strings.Repeat("a", 1<<20)},
	} {
		t.Run(name, func(t *testing.T) {
			header := http.Header{"Cookie": {plainFormCookie + "=" + f.cookie}, "Content-Type": {"application/x-www-form-urlencoded"}}
			switch tt.contentType {
			case "":
			case "-":
				header.Del("Content-Type")
			default:
				header.Set("Content-Type", tt.contentType)
			}
			if tt.address == "" {
				tt.address = s.BaseURL
			}
			require.Equal(t, http.StatusForbidden, send(t, http.MethodPost, tt.address, tt.body, header).Status)
		})
	}
	s.requireLive(l)
	require.Equal(t, http.StatusSeeOther, s.post(f).Status, "the control")
}
