package httpadapter_test

import (
	"crypto/sha256"
	"encoding/base64"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/magiclink-go/magiclink"
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
	action := good.action
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
		"encoded":                  {action, typeForm, cookie, body, append([]string{"Content-Encoding", "gzip"}, same...)},
		"too large":                {action, typeForm, cookie, body + "&x=" + strings.Repeat("x", 17<<10), same},
		"malformed":                {action, typeForm, cookie, body + "&x=%zz", same},
		"semicolons":               {action, typeForm, cookie, strings.ReplaceAll(body, "&", ";"), same},
		"empty":                    {action, typeForm, cookie, "", same},
		"cross-site":               {action, typeForm, cookie, body, []string{"Origin", "https://evil.example", "Sec-Fetch-Site", "cross-site"}},
		"same-site":                {action, typeForm, cookie, body, []string{"Origin", "https://x.example", "Sec-Fetch-Site", "same-site"}},
		"two origins":              {action, typeForm, cookie, body, []string{"Origin", s.server.URL, "Origin", s.server.URL}},
		"an empty origin":          {action, typeForm, cookie, body, []string{"Origin", ""}},
		"http":                     {action, typeForm, cookie, body, []string{"Origin", strings.Replace(s.server.URL, "https", "http", 1)}},
		"cross-site, no origin":    {action, typeForm, cookie, body, []string{"Sec-Fetch-Site", "cross-site"}},
		"same-site, no origin":     {action, typeForm, cookie, body, []string{"Sec-Fetch-Site", "same-site"}},
		"the host's origin":        {action, typeForm, cookie, body, []string{"Host", "evil.example", "Origin", "https://evil.example"}},
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
			require.Contains(t, got.body, "This click did not use up your link.")
			require.NotContains(t, strings.ToLower(got.body), "nobody was signed in")
			require.NotContains(t, got.body, "still works")
			want := "Please open the link again"
			if !slices.Equal(r.headers, same) && r.headers[0] != "Content-Encoding" {
				want = "Please open the link at its own address"
			}
			require.Contains(t, got.body, "<h1>"+want+"</h1>")
			require.Contains(t, got.body, `class="button"`, "there is a way on")
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

// What the Origin must be comes from the BaseURL. A client that sends neither header is no browser that could be led
// astray; the form token still guards.
func TestFormsOfOurs(t *testing.T) {
	s := newSite(t)
	for _, headers := range [][]string{
		nil,
		{"Origin", s.server.URL},
		{"Sec-Fetch-Site", "same-origin"},
		{"Sec-Fetch-Site", "none"},
		{"Origin", s.server.URL, "Sec-Fetch-Site", "same-origin"},
		{"Origin", s.server.URL, "Sec-Fetch-Site", "cross-site"}, // a proxy at another site
		{"Origin", s.server.URL, "Host", "10.0.0.7:3000", "X-Forwarded-Host", "evil.example"},
	} {
		link, _ := s.link(create)
		b := s.browser()
		shown := b.get(link)
		f := shown.form(t)
		headers = append(headers, "Content-Type", typeForm+"; charset=ISO-8859-1", "Cookie", formCookie+"="+shown.cookie(formCookie).Value)
		got := s.browser().send(http.MethodPost, f.action, f.fields.Encode(), headers...)
		require.Equal(t, http.StatusSeeOther, got.status, headers)
	}
}

// Behind a proxy that rewrites Host the BaseURL's origin decides.
func TestBehindAProxy(t *testing.T) {
	s := newSiteOf(t, siteSetup{path: "/magic", plain: true, baseURL: "https://app.example.com/magic"})
	link, _ := s.link(create)
	f := form{}
	secret := ""
	send := func(origin string) view {
		return s.browser().send(http.MethodPost, s.server.URL+"/magic", f.fields.Encode(),
			"Content-Type", typeForm, "Origin", origin, "Cookie", formCookie+"="+secret)
	}
	shown := s.browser().get(s.server.URL + "/magic/reports?token=" + tokenOf(t, link))
	f, secret = shown.form(t), shown.cookie(formCookie).Value
	require.Equal(t, "https://app.example.com/magic", f.action)
	require.Contains(t, shown.header.Get("Content-Security-Policy"), "form-action 'self' https://app.example.com;")
	require.Equal(t, http.StatusForbidden, send(s.server.URL).status)
	s.requireUsable(link)
	got := send("https://app.example.com")
	require.Equal(t, http.StatusSeeOther, got.status)
	require.Equal(t, "https://app.example.com/reports?y=1#top", got.header.Get("Location"))
}

// A link that is opened at another host than its own is not used up. The answer leads to its own address, where it works.
func TestOpenedAtAnotherHost(t *testing.T) {
	s := newSiteOf(t, siteSetup{path: "/magic", plain: true})
	link, _ := s.link(create)
	b := s.browser()
	elsewhere := strings.Replace(s.server.URL, "127.0.0.1", "localhost", 1)
	shown := b.get(strings.Replace(link, s.server.URL, elsewhere, 1))
	require.Equal(t, http.StatusOK, shown.status)
	f := shown.form(t)
	require.True(t, strings.HasPrefix(f.action, s.server.URL), "the form goes to the link's own address")
	got := b.send(http.MethodPost, f.action, f.fields.Encode(), "Content-Type", typeForm, "Origin", elsewhere, "Sec-Fetch-Site", "cross-site")
	require.Equal(t, http.StatusForbidden, got.status)
	s.requireUsable(link)
	require.Contains(t, got.body, "Continue at <bdi dir=\"ltr\">"+strings.TrimPrefix(s.server.URL, "http://")+"</bdi>")
	require.Equal(t, http.StatusSeeOther, b.click(got.button(t)).status)
	s.requireUsed(link)
}

// The button of a refused form never leads to a text that somebody else has made up.
func TestButtonOfAForeignForm(t *testing.T) {
	s := newSite(t)
	for _, token := range []string{"", "x", `"><script>`, "javascript:alert(1)", "a.b.c", "//evil.example", "eyJ.eyJ.eyJ&x=y"} {
		got := s.browser().send(http.MethodPost, s.server.URL+"/magic", url.Values{"token": {token}, "form": {"x"}}.Encode(),
			"Content-Type", typeForm, "Origin", "https://evil.example")
		require.Equal(t, http.StatusForbidden, got.status)
		require.Equal(t, s.server.URL+"/", got.button(t))
	}
}

// A middleware may have parsed the form: its fields count and nothing of the query.
func TestFormParsedByAMiddleware(t *testing.T) {
	for name, parse := range map[string]func(*http.Request){
		"ParseForm": func(r *http.Request) { _ = r.ParseForm() },
		"FormValue": func(r *http.Request) { _ = r.FormValue("token") },
		"consumed":  func(r *http.Request) { _ = r.ParseForm(); r.Body.Close(); r.Body = http.NoBody },
	} {
		t.Run(name, func(t *testing.T) {
			s := newSiteOf(t, siteSetup{path: "/magic", middleware: func(next http.Handler) http.Handler {
				return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
					parse(r)
					next.ServeHTTP(w, r)
				})
			}})
			link, _ := s.link(create)
			b := s.browser()
			f := b.get(link).form(t)
			inQuery := b.send(http.MethodPost, f.action+"?"+f.fields.Encode(), "", "Content-Type", typeForm, "Origin", s.server.URL)
			require.Equal(t, http.StatusForbidden, inQuery.status)
			s.requireUsable(link)
			require.Equal(t, http.StatusSeeOther, b.post(f).status)
		})
	}
}

// Several pages may be open at once: they share the cookie, and each form works, also after another one was posted.
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

	for i := range links {
		got := b.post(forms[i])
		require.Equal(t, http.StatusSeeOther, got.status)
		require.Nil(t, got.cookie(formCookie))
		require.NotNil(t, got.cookie(httpadapter.SessionCookie))
	}
}

// Over plain http the cookies have no prefix and are not Secure, since WebKit keeps neither on loopback.
func TestCookiesOverPlainHTTP(t *testing.T) {
	s := newSiteOf(t, siteSetup{path: "/magic", plain: true})
	link, _ := s.link(create)
	b := s.browser()
	shown := b.get(link)
	secret := shown.cookie("magiclink_form")
	require.NotNil(t, secret)
	require.Equal(t, "magiclink_form="+secret.Value+"; Path=/; HttpOnly; SameSite=Lax", secret.Raw)
	got := b.post(shown.form(t))
	require.Equal(t, http.StatusSeeOther, got.status)
	cookie := got.cookie("magiclink_session")
	require.NotNil(t, cookie)
	require.Equal(t, "magiclink_session="+cookie.Value+"; Path=/; Max-Age=3600; HttpOnly; SameSite=Lax", cookie.Raw)
	require.Equal(t, http.StatusSeeOther, b.get(link).status, "the session is found again")
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
	require.Contains(t, shown.body, "already signed in here as <strong><bdi>j•••@example.com</bdi></strong>")
	got := victim.post(shown.form(t))
	require.Equal(t, http.StatusSeeOther, got.status)
	cookie := got.cookie(httpadapter.SessionCookie)
	require.NotEqual(t, planted.Value, cookie.Value)
	_, err = s.sessions.Verify(t.Context(), planted.Value)
	require.ErrorIs(t, err, magiclink.ErrInvalidToken, "the planted session has ended")
	session, err := s.sessions.Verify(t.Context(), cookie.Value)
	require.NoError(t, err)
	require.Equal(t, id, session.MagicLinkID)
	require.Equal(t, "victim@example.com", session.Email)
}
