package httpadapter_test

import (
	"crypto/sha256"
	"encoding/base64"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/magiclink-go/magiclink/httpadapter"
)

// formTokenFor is the form token of a browser's secret and a link's token.
func formTokenFor(secret, token string) string {
	hash := sha256.Sum256([]byte("magiclink form\x00" + secret + "\x00" + token))
	return base64.RawURLEncoding.EncodeToString(hash[:])
}

// formFor is the form that the browser's page would have for another token.
func formFor(tb testing.TB, v view, token string) form {
	tb.Helper()
	f := v.form(tb)
	cookie := v.cookie(formCookie)
	require.NotNil(tb, cookie)
	f.fields.Set("token", token)
	f.fields.Set("form", formTokenFor(cookie.Value, token))
	return f
}

// What our page would not have posted is refused, asks no store, starts no session and leaves the link usable.
func TestFormsOfOthers(t *testing.T) {
	s := newSite(t)
	link, _ := s.link(create)
	other, _ := s.link(create)
	token := tokenOf(t, link)
	b := s.browser()
	shown := b.get(link)
	good := shown.form(t)
	cookie := formCookie + "=" + shown.cookie(formCookie).Value
	stranger := s.browser().get(link)
	action := s.server.URL + good.action
	body := good.fields.Encode()
	with := func(name, value string) string {
		fields := url.Values{"token": good.fields["token"], "form": good.fields["form"]}
		fields.Set(name, value)
		return fields.Encode()
	}
	without := func(name string) string { return url.Values{name: good.fields[name]}.Encode() }
	type request struct {
		address, contentType, cookie, body string
		headers                            []string
	}
	same := []string{"Origin", s.server.URL, "Sec-Fetch-Site", "same-origin"}
	for name, r := range map[string]request{
		"no cookie":                {action, typeForm, "", body, same},
		"a stranger's cookie":      {action, typeForm, formCookie + "=" + stranger.cookie(formCookie).Value, body, same},
		"a short cookie":           {action, typeForm, formCookie + "=x", body, same},
		"an empty cookie":          {action, typeForm, formCookie + "=", with("form", formTokenFor("", token)), same},
		"two cookies":              {action, typeForm, cookie + "; " + formCookie + "=" + strings.Repeat("a", 43), body, same},
		"the same cookie twice":    {action, typeForm, cookie + "; " + cookie, body, same},
		"cookie of another name":   {action, typeForm, strings.Replace(cookie, "__Host-", "", 1), body, same},
		"no form token":            {action, typeForm, cookie, without("token"), same},
		"no token":                 {action, typeForm, cookie, without("form"), same},
		"an empty form token":      {action, typeForm, cookie, with("form", ""), same},
		"a wrong form token":       {action, typeForm, cookie, with("form", strings.Repeat("A", 43)), same},
		"the cookie as form token": {action, typeForm, cookie, with("form", shown.cookie(formCookie).Value), same},
		"a stranger's form token":  {action, typeForm, cookie, with("form", stranger.form(t).fields.Get("form")), same},
		"another link's token":     {action, typeForm, cookie, with("token", tokenOf(t, other)), same},
		"two tokens":               {action, typeForm, cookie, body + "&token=" + token, same},
		"two form tokens":          {action, typeForm, cookie, body + "&form=" + good.fields.Get("form"), same},
		"all in the query":         {action + "?" + body, typeForm, cookie, "", same},
		"token in the query":       {action + "?token=" + token, typeForm, cookie, without("form"), same},
		"form token in the query":  {action + "?form=" + good.fields.Get("form"), typeForm, cookie, without("token"), same},
		"JSON":                     {action, typeJSON, cookie, `{"token":"` + token + `"}`, same},
		"form as JSON":             {action, typeJSON, cookie, body, same},
		"form as text":             {action, "text/plain", cookie, body, same},
		"no type":                  {action, "", cookie, body, same},
		"multipart":                {action, "multipart/form-data; boundary=x", cookie, "--x\r\n", same},
		"another charset":          {action, typeForm + "; charset=utf-16", cookie, body, same},
		"encoded":                  {action, typeForm, cookie, body, append([]string{"Content-Encoding", "gzip"}, same...)},
		"too large":                {action, typeForm, cookie, body + "&x=" + strings.Repeat("x", 17<<10), same},
		"malformed":                {action, typeForm, cookie, body + "&x=%zz", same},
		"semicolons":               {action, typeForm, cookie, strings.ReplaceAll(body, "&", ";"), same},
		"empty":                    {action, typeForm, cookie, "", same},
		"cross-site":               {action, typeForm, cookie, body, []string{"Origin", "https://evil.example", "Sec-Fetch-Site", "cross-site"}},
		"same-site":                {action, typeForm, cookie, body, []string{"Origin", "https://x.example", "Sec-Fetch-Site", "same-site"}},
		"cross-site, our origin":   {action, typeForm, cookie, body, []string{"Origin", s.server.URL, "Sec-Fetch-Site", "cross-site"}},
		"another origin":           {action, typeForm, cookie, body, []string{"Origin", "https://evil.example"}},
		"another port":             {action, typeForm, cookie, body, []string{"Origin", "https://127.0.0.1:1"}},
		"null origin":              {action, typeForm, cookie, body, []string{"Origin", "null"}},
	} {
		t.Run(name, func(t *testing.T) {
			before := s.store.calls()
			clean := s.browser()
			headers := r.headers
			if r.contentType != "" {
				headers = append([]string{"Content-Type", r.contentType}, headers...)
			}
			if r.cookie != "" {
				headers = append([]string{"Cookie", r.cookie}, headers...)
			}
			got := clean.send(http.MethodPost, r.address, r.body, headers...)
			require.Equal(t, http.StatusForbidden, got.status, got.body)
			requireSecure(t, got)
			require.Contains(t, got.body, "Please open the link again")
			require.NotContains(t, got.body, "<form")
			require.Empty(t, got.cookies)
			require.Empty(t, got.header.Get("Location"))
			require.Equal(t, before, s.store.calls(), "the store was not asked")
		})
	}
	s.requireUsable(link)
	s.requireUsable(other)
	got := s.browser().send(http.MethodPost, action, body, append([]string{"Content-Type", typeForm, "Cookie", cookie}, same...)...)
	require.Equal(t, http.StatusSeeOther, got.status, "the control: what each case changes works")
	require.Empty(t, s.log.String(), "refusals are not logged")
}

// Clients that send neither header are no browsers that could be led astray; the form token still guards.
func TestFormWithoutFetchMetadata(t *testing.T) {
	s := newSite(t)
	for _, headers := range [][]string{nil, {"Origin", s.server.URL}, {"Sec-Fetch-Site", "same-origin"}, {"Sec-Fetch-Site", "none"}} {
		link, _ := s.link(create)
		b := s.browser()
		f := b.get(link).form(t)
		headers = append(headers, "Content-Type", typeForm+"; charset=UTF-8")
		got := b.send(http.MethodPost, s.server.URL+f.action, f.fields.Encode(), headers...)
		require.Equal(t, http.StatusSeeOther, got.status)
	}
}

// Several pages may be open at once: they share the cookie, and each form works. The cookie goes with a success.
func TestFormCookie(t *testing.T) {
	s := newSite(t)
	b := s.browser()
	links, forms, secrets := make([]string, 3), make([]form, 3), map[string]bool{}
	for i := range links {
		links[i], _ = s.link(create)
		shown := b.get(links[i])
		forms[i] = shown.form(t)
		cookie := shown.cookie(formCookie)
		require.Equal(t, i == 0, cookie != nil, "only the first page sets it")
		again := b.get(links[i])
		require.Nil(t, again.cookie(formCookie))
		require.Equal(t, forms[i], again.form(t), "a page that is loaded again has the same form")
	}
	require.NotEqual(t, forms[0].fields.Get("form"), forms[1].fields.Get("form"), "each form is for one link")
	for range 3 {
		shown := s.browser().get(links[0])
		secrets[shown.cookie(formCookie).Value] = true
	}
	require.Len(t, secrets, 3, "each browser has its own")

	broken := s.browser().send(http.MethodGet, links[0], "", "Cookie", formCookie+"=short")
	require.NotNil(t, broken.cookie(formCookie), "what cannot be ours is replaced")

	got := b.post(forms[0])
	require.Equal(t, http.StatusSeeOther, got.status)
	require.Negative(t, got.cookie(formCookie).MaxAge)
	require.Equal(t, http.StatusForbidden, b.post(forms[1]).status, "its cookie is gone")
	s.requireUsable(links[1])
	require.Equal(t, http.StatusSeeOther, b.click(links[1]).status, "opening it again helps")
}

// A session that somebody has planted in the browser does not survive a redemption.
func TestSessionFixation(t *testing.T) {
	s := newSite(t)
	mallory, _ := s.link(create)
	planted := s.browser().click(mallory).cookie(httpadapter.SessionCookie)
	require.NotNil(t, planted)

	victim := s.browser()
	home, err := url.Parse(s.server.URL)
	require.NoError(t, err)
	victim.client.Jar.SetCookies(home, []*http.Cookie{{Name: planted.Name, Value: planted.Value, Path: "/", Secure: true}})
	in := create
	in.Email = "victim@example.com"
	link, id := s.link(in)
	shown := victim.get(link)
	require.Contains(t, shown.body, "already signed in here as <strong>j•••@example.com</strong>")
	got := victim.post(shown.form(t))
	require.Equal(t, http.StatusSeeOther, got.status)
	cookies := victim.client.Jar.Cookies(home)
	require.Len(t, cookies, 1)
	require.NotEqual(t, planted.Value, cookies[0].Value)
	old, err := s.sessions.Verify(planted.Value)
	require.NoError(t, err)
	session, err := s.sessions.Verify(cookies[0].Value)
	require.NoError(t, err)
	require.NotEqual(t, old.ID, session.ID)
	require.Equal(t, id, session.MagicLinkID)
	require.Equal(t, "victim@example.com", session.Email)
}
