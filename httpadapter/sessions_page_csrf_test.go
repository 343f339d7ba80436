package httpadapter_test

import (
	"crypto/sha256"
	"encoding/base64"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/magiclink-go/magiclink"
)

// madeFor is the token of a form, as somebody computes it who knows a session's id.
func madeFor(secret, id string) string {
	hash := sha256.Sum256([]byte("magiclink sessions form\x00" + secret + "\x00" + id))
	return base64.RawURLEncoding.EncodeToString(hash[:])
}

// Only a form that this session was shown in this browser ends anything.
func TestSessionsPageForms(t *testing.T) {
	p := newPeople(t)
	mine, other := p.signIn(jane), p.signIn(jane)
	attacker := p.signIn(func() magiclink.MagicLinkCreate { in := jane; in.Email = "mallory@example.com"; return in }())
	mine.look()
	other.look()
	attacker.look()
	fields := func(pairs ...string) string {
		var body []string
		for n := 0; n < len(pairs); n += 2 {
			body = append(body, pairs[n]+"="+url.QueryEscape(pairs[n+1]))
		}
		return strings.Join(body, "&")
	}
	good := fields("form", mine.form, "end", "everywhere")
	origin := []string{"Origin", appOrigin}
	require.Equal(t, mine.form, madeFor(mine.secret, mine.id()), "what an attacker can compute")
	for name, row := range map[string]struct {
		v       visitor
		body    string
		headers []string
	}{
		"no cookie":                   {visitor{token: mine.token}, good, origin},
		"the cookie of another":       {visitor{token: mine.token, secret: other.secret}, good, origin},
		"the form of another browser": {visitor{token: mine.token, secret: mine.secret}, fields("form", other.form, "end", "everywhere"), origin},
		"both of another browser":     {visitor{token: mine.token, secret: other.secret}, fields("form", other.form, "end", "everywhere"), origin},
		"both of an attacker":         {visitor{token: mine.token, secret: attacker.secret}, fields("form", attacker.form, "end", "everywhere"), origin},
		"made for no cookie":          {visitor{token: mine.token}, fields("form", madeFor("", mine.id()), "end", "everywhere"), origin},
		"made for a short cookie":     {visitor{token: mine.token, secret: "x"}, fields("form", madeFor("x", mine.id()), "end", "everywhere"), origin},
		"made for two cookies":        {visitor{token: mine.token, secret: mine.secret + "; " + formCookie + "=x"}, fields("form", madeFor("", mine.id()), "end", "everywhere"), origin},
		"a short cookie":              {visitor{token: mine.token, secret: "x"}, good, origin},
		"two cookies":                 {visitor{token: mine.token, secret: mine.secret + "; " + formCookie + "=" + mine.secret}, good, origin},
		"no token":                    {visitor{token: mine.token, secret: mine.secret}, "end=everywhere", origin},
		"an empty token":              {visitor{token: mine.token, secret: mine.secret}, "end=everywhere&form=", origin},
		"a token cut short":           {visitor{token: mine.token, secret: mine.secret}, fields("form", mine.form[:42], "end", "everywhere"), origin},
		"two tokens":                  {visitor{token: mine.token, secret: mine.secret}, good + "&form=" + mine.form, origin},
		"two ends":                    {visitor{token: mine.token, secret: mine.secret}, good + "&end=x", origin},
		"no end":                      {visitor{token: mine.token, secret: mine.secret}, fields("form", mine.form), origin},
		"an empty end":                {visitor{token: mine.token, secret: mine.secret}, fields("form", mine.form, "end", ""), origin},
		"no form":                     {visitor{token: mine.token, secret: mine.secret}, "", origin},
		"malformed":                   {visitor{token: mine.token, secret: mine.secret}, good + "&%zz", origin},
		"large":                       {visitor{token: mine.token, secret: mine.secret}, good + "&x=" + strings.Repeat("a", 5000), origin},
		"JSON":                        {visitor{token: mine.token, secret: mine.secret}, `{"end":"everywhere","form":"` + mine.form + `"}`, origin},
		"another origin":              {visitor{token: mine.token, secret: mine.secret}, good, []string{"Origin", "https://evil.example"}},
		"a sibling":                   {visitor{token: mine.token, secret: mine.secret}, good, []string{"Origin", "https://blog.example.com", "Sec-Fetch-Site", "same-site"}},
		"another port":                {visitor{token: mine.token, secret: mine.secret}, good, []string{"Origin", appOrigin + ":8443"}},
		"plain http":                  {visitor{token: mine.token, secret: mine.secret}, good, []string{"Origin", "http://app.example.com"}},
		"no origin said":              {visitor{token: mine.token, secret: mine.secret}, good, []string{"Origin", "null"}},
		"two origins":                 {visitor{token: mine.token, secret: mine.secret}, good, []string{"Origin", appOrigin, "Origin", appOrigin}},
		"another site":                {visitor{token: mine.token, secret: mine.secret}, good, []string{"Sec-Fetch-Site", "cross-site"}},
		"its own host":                {visitor{token: mine.token, secret: mine.secret}, good, []string{"Origin", "https://evil.example", "X-Forwarded-Host", "evil.example"}},
	} {
		t.Run(name, func(t *testing.T) {
			row.v.people = p
			got := row.v.post(row.body, row.headers...)
			p.requireUntouched(http.StatusForbidden, got)
			require.Contains(t, got.body, "<h1>Nothing was changed</h1>")
			require.Equal(t, appOrigin+"/sessions", got.button(t))
			require.True(t, mine.lasts() && other.lasts() && attacker.lasts())
		})
	}
	require.Equal(t, http.StatusForbidden, recorded(send(p.page, http.MethodPost, "/sessions", "text/plain", good, append(mine.cookies(), origin...)...)).status)
	p.requireLeaves(mine.post(good)) // the control, with the headers of an old browser
}

// Two tabs of one browser work side by side. A tab that was opened before another person signed in ends nothing of theirs.
func TestSessionsPageTabs(t *testing.T) {
	p := newPeople(t)
	mine, other, third := p.signIn(jane), p.signIn(jane), p.signIn(jane)
	mine.look()
	first := *mine
	second := *mine
	second.look()
	require.Equal(t, first.secret, second.secret)
	p.requireStays(second.press(other.id()))
	p.requireStays(first.press(third.id()))
	require.False(t, other.lasts() || third.lasts())

	kim := jane
	kim.Email = "kim@example.com"
	next, elsewhere := p.signIn(kim), p.signIn(kim)
	first.token = next.token // signed in as another person, in the same browser
	p.requireUntouched(http.StatusForbidden, first.press("everywhere"))
	require.True(t, next.lasts() && elsewhere.lasts())
	first.look()
	p.requireLeaves(first.press("everywhere"))
	require.False(t, next.lasts() || elsewhere.lasts())
}

func FuzzSessionsPage(f *testing.F) {
	p := newPeople(f)
	mine := p.signIn(jane)
	victims := []*visitor{p.signIn(jane), mine}
	for _, in := range others() {
		victims = append(victims, p.signIn(in))
	}
	mine.look()
	for _, body := range []string{
		"", "end=everywhere", "end=everywhere&form=" + mine.form[:42], "end=%00&form=%ff", "end=" + mine.id() + "&form=", "form=" + mine.form + "&end=x",
		"%zz", "a;b", "end=a&end=b&form=c",
	} {
		f.Add(body, mine.secret, appOrigin)
		f.Add(body, "", "")
		f.Add(body, mine.secret+"; a=b", "null")
	}
	f.Fuzz(func(t *testing.T, body, secret, origin string) {
		if values, err := url.ParseQuery(body); err == nil && values.Get("form") == mine.form {
			t.Skip("a form of our own")
		}
		headers := []string{"Cookie", cookieOf(mine.token) + "; " + formCookie + "=" + secret}
		if origin != "" {
			headers = append(headers, "Origin", origin)
		}
		got := recorded(send(p.page, http.MethodPost, "/sessions", typeForm, body, headers...))
		require.Contains(t, []int{http.StatusForbidden, http.StatusUnauthorized}, got.status)
		requireSecure(t, got)
		for _, v := range victims {
			_, err := p.sessions.Verify(t.Context(), v.token)
			require.NoError(t, err)
		}
	})
}
