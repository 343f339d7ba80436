package signin_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// A form works only in the browser that was shown it, and only from a page of this origin. Nothing happens otherwise.
func TestForms(t *testing.T) {
	for _, path := range []string{"/sign-in", "/sign-in/check", "/sign-in/resend"} {
		t.Run(path, func(t *testing.T) {
			s := newSite(t)
			b, other := s.browser(), s.browser()
			mail := b.waiting(jane)
			other.waiting("joe@open.example")
			sent := len(s.inbox.all())
			good := b.get("/sign-in/check").fields(t)
			good.Set("email", "new@open.example")
			good.Set("code", mail.Code)
			with := func(name, value string) url.Values {
				form := url.Values{}
				for n := range good {
					form.Set(n, good.Get(n))
				}
				form.Set(name, value)
				if value == "" {
					form.Del(name)
				}
				return form
			}
			twice := with("x", "x")
			twice.Add("form", good.Get("form"))
			for name, got := range map[string]answer{
				"another browser":        other.post(path, good),
				"no cookie":              s.browser().post(path, good),
				"no form token":          b.post(path, with("form", "")),
				"a forged form token":    b.post(path, with("form", "a."+strings.Repeat("A", 43))),
				"an empty nonce":         b.post(path, with("form", "."+strings.Repeat("A", 43))),
				"two form tokens":        b.post(path, twice),
				"that of another origin": b.post(path, good, "Origin", "https://evil.example"),
				"a sibling":              b.post(path, good, "Origin", "https://www.app.example.com"),
				"no origin":              b.post(path, good, "Origin", "null"),
				"cross-site":             b.send(http.MethodPost, path, strings.NewReader(good.Encode()), "Content-Type", "application/x-www-form-urlencoded", "Sec-Fetch-Site", "cross-site"),
				"JSON":                   b.send(http.MethodPost, path, strings.NewReader(`{}`), "Content-Type", "application/json", "Origin", origin),
				"too large":              b.post(path, with("x", strings.Repeat("x", 16<<10))),
				"in the query":           b.post(path+"?"+good.Encode(), nil),
			} {
				require.Equal(t, http.StatusForbidden, got.status, name)
				requireSecure(t, got)
				require.Contains(t, got.body, `role="alert"`, name)
				require.Contains(t, got.body, `<form`, "the page again")
			}
			s.settled()
			require.Len(t, s.inbox.all(), sent)
			require.NoError(t, s.verdict(mail.Link))
			require.Equal(t, http.StatusSeeOther, b.post(path, good).status, "the control")
		})
	}
}

// A browser that has lost its cookies gets the page again, and arrives where its person wanted to go.
func TestARefusedFormKeepsTheDestination(t *testing.T) {
	s := newSite(t)
	b := s.browser()
	form := b.get("/sign-in?next=/reports").fields(t)
	form.Set("email", jane)
	clear(b.cookies)
	page := b.post("/sign-in", form)
	require.Equal(t, http.StatusForbidden, page.status)
	require.NotContains(t, page.body, jane)
	again := page.fields(t)
	again.Set("email", jane)
	require.Equal(t, http.StatusSeeOther, b.post("/sign-in", again).status)
	requireIn(t, b, b.typed(s.last().Code), "/reports")

	form.Set("next", "//evil.example")
	require.NotContains(t, s.browser().post("/sign-in", form).body, "evil")
}

// A middleware may have read the form.
func TestFormsBehindAMiddleware(t *testing.T) {
	s := newSite(t)
	b := s.browser()
	form := b.get("/sign-in").fields(t)
	form.Set("email", jane)
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "/sign-in", strings.NewReader(form.Encode()))
	require.NoError(t, err)
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.AddCookie(&http.Cookie{Name: "__Host-magiclink_form", Value: b.cookies["__Host-magiclink_form"]})
	require.NoError(t, r.ParseForm())
	w := newRecorder()
	s.flow.ServeHTTP(w, r)
	require.Equal(t, http.StatusSeeOther, w.Code)
	require.Equal(t, jane, s.last().To)
}
