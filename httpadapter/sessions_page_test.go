package httpadapter_test

import (
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/magiclink-go/magiclink"
	"github.com/magiclink-go/magiclink/httpadapter"
	"github.com/magiclink-go/magiclink/internal/language"
)

func TestNewSessionsPageReportsEveryFaultAtOnce(t *testing.T) {
	_, err := httpadapter.NewSessionsPage(httpadapter.SessionsPageConfig{
		Path: "sessions", SignIn: "javascript:alert(1)", Destination: "//evil.example", Language: "nl", Logo: "x", Timeout: -1,
		Colors: httpadapter.PageColors{Accent: "red"},
	})
	require.ElementsMatch(t, []string{"Sessions", "Path", "SignIn", "Destination", "Language", "Logo", "Timeout", "Colors.Accent"}, faultyFields(t, err))
	sessions := newPeople(t).sessions
	for path, ok := range map[string]bool{
		"": true, "/": true, "/a/b": true, "/account/sessions/": true, "/sessions?x=1": false, "/sessions#x": false, "//evil.example": false,
		"/a/../b": false, `/\x`: false, "/sessions?": false, "https://evil.example/": false,
	} {
		_, err := httpadapter.NewSessionsPage(httpadapter.SessionsPageConfig{Sessions: sessions, Path: path})
		require.Equal(t, ok, err == nil, "%q: %v", path, err)
	}
}

// others are subjects that share much with jane's, and are not jane's.
func others() map[string]magiclink.MagicLinkCreate {
	list := map[string]magiclink.MagicLinkCreate{}
	for name, change := range map[string]func(*magiclink.MagicLinkCreate){
		"another person":                  func(in *magiclink.MagicLinkCreate) { in.Email = "kim@example.com" },
		"another spelling":                func(in *magiclink.MagicLinkCreate) { in.Email = "Jane@example.com" },
		"another tenant":                  func(in *magiclink.MagicLinkCreate) { in.Caller.TenantID = "t2" },
		"no tenant":                       func(in *magiclink.MagicLinkCreate) { in.Caller.TenantID = "" },
		"another business":                func(in *magiclink.MagicLinkCreate) { in.BusinessID = "biz_HA6EG2qFxA97NZHtxeLPUy" },
		"another external id":             func(in *magiclink.MagicLinkCreate) { in.ExternalBusinessID = "shop-8" },
		"nobody of the business":          func(in *magiclink.MagicLinkCreate) { in.Email = "" },
		"the business by its id alone":    func(in *magiclink.MagicLinkCreate) { in.ExternalBusinessID = "" },
		"the business by the other alone": func(in *magiclink.MagicLinkCreate) { in.BusinessID = "" },
	} {
		in := jane
		change(&in)
		list[name] = in
	}
	return list
}

// A person sees their own live sessions: this browser's first, then the newest.
func TestSessionsPageLists(t *testing.T) {
	p := newPeople(t)
	oldest := p.signIn(jane)
	p.clock.Add(int64(time.Minute))
	mine := p.signIn(jane)
	p.clock.Add(int64(time.Minute))
	newest, ended := p.signIn(jane), p.signIn(jane)
	require.Equal(t, http.StatusSeeOther, func() int { ended.look(); return ended.press(ended.id()).status }())
	short := jane
	short.SessionTimeout = 30
	p.signIn(short)
	p.link(t, jane) // nobody has used it
	for _, in := range others() {
		p.signIn(in)
	}
	p.clock.Add(int64(time.Minute))
	got := mine.look()
	p.requireList(got, true, mine.id(), newest.id(), oldest.id())
	require.Contains(t, got.body, `<time datetime="2026-03-14T12:01:07Z">2026-03-14 12:01 UTC</time>`)
	require.Contains(t, got.body, `<time datetime="2026-03-14T13:01:07Z">2026-03-14 13:01 UTC</time>`)
	require.Contains(t, got.body, "<dd><bdi>jane@example.com</bdi></dd>")
	require.Contains(t, got.body, "<dd><bdi>shop-7</bdi></dd>")
	require.Contains(t, got.body, "<title>Where you are signed in · Acme</title>")
	require.Equal(t, []string{"Cookie", "Accept-Language"}, got.header.Values("Vary"))
	require.NotContains(t, got.body, "eyJ", "no token")

	head := recorded(call(p.page, http.MethodHead, "/sessions", mine.cookies()...))
	require.Equal(t, http.StatusOK, head.status)
	require.Empty(t, head.body)
	for _, other := range []*visitor{oldest, newest} { // the same sessions, seen from elsewhere
		require.ElementsMatch(t, got.buttons(), other.look().buttons())
	}
}

// Nothing but a click ends a session.
func TestSessionsPageGetChangesNothing(t *testing.T) {
	p := newPeople(t)
	mine, other := p.signIn(jane), p.signIn(jane)
	mine.look()
	query := "/sessions?end=everywhere&form=" + mine.form
	for _, method := range []string{http.MethodGet, http.MethodHead} {
		require.Equal(t, http.StatusOK, send(p.page, method, query, typeForm, strings.TrimPrefix(query, "/sessions?"), mine.cookies()...).Code)
	}
	for _, method := range []string{http.MethodPut, http.MethodDelete, http.MethodOptions, http.MethodPatch, "PROPFIND"} {
		got := recorded(send(p.page, method, query, typeForm, strings.TrimPrefix(query, "/sessions?"), append(mine.cookies(), "Origin", appOrigin)...))
		p.requireUntouched(http.StatusMethodNotAllowed, got)
		require.Equal(t, "GET, HEAD, POST", got.header.Get("Allow"))
	}
	p.requireUntouched(http.StatusForbidden, recorded(send(p.page, http.MethodPost, query, typeForm, "", append(mine.cookies(), "Origin", appOrigin)...)))
	require.True(t, mine.lasts() && other.lasts())
	require.Equal(t, mine.form, func() string { mine.look(); return mine.form }(), "the form stays as it is")
	p.requireLeaves(mine.press("everywhere"))
	require.False(t, mine.lasts() || other.lasts(), "the control")
}

// A request without a session is sent to where one can sign in, or told so; a click is never said to be carried out.
func TestSessionsPageSignedOut(t *testing.T) {
	for _, signIn := range []string{"", "/sign-in", "https://id.example.com/in?app=acme"} {
		p := newPeople(t, func(c *httpadapter.SessionsPageConfig) { c.SignIn, c.Path = signIn, "/account/sessions" })
		gone := p.signIn(jane)
		gone.look()
		secret, form := gone.secret, gone.form
		require.Equal(t, http.StatusSeeOther, gone.press(gone.id()).status)
		expired := p.signIn(func() magiclink.MagicLinkCreate { in := jane; in.SessionTimeout = 1; return in }())
		live := p.signIn(jane)
		p.clock.Add(int64(time.Second))
		for name, v := range map[string]*visitor{
			"nothing": {people: p}, "ended": {people: p, token: gone.token, secret: secret, form: form}, "expired": expired, "garbage": {people: p, token: "x"},
			"a link": {people: p, token: p.link(t, jane)}, "two cookies": {people: p, token: live.token + "; " + cookieOf(live.token)},
		} {
			for _, got := range []view{v.look(), v.press("everywhere"), v.press(live.id())} {
				switch signIn {
				case "":
					p.requireUntouched(http.StatusUnauthorized, got)
					require.Contains(t, got.body, "<h1>You are not signed in</h1>", name)
					require.Contains(t, got.header.Get("WWW-Authenticate"), "Bearer")
					require.Equal(t, appOrigin+"/", got.button(t))
				case "/sign-in":
					p.requireUntouched(http.StatusSeeOther, got)
					require.Equal(t, "/sign-in?next=%2Faccount%2Fsessions", got.header.Get("Location"), name)
				default:
					p.requireUntouched(http.StatusSeeOther, got)
					require.Equal(t, signIn+"&next=%2Faccount%2Fsessions", got.header.Get("Location"), name)
				}
				require.Nil(t, got.cookie(formCookie))
			}
		}
		bearer := recorded(call(p.page, http.MethodGet, "/account/sessions", "Authorization", "Bearer "+live.token))
		require.NotEqual(t, http.StatusOK, bearer.status, "this page is for browsers")
		require.True(t, live.lasts())
	}
}

// A session that names no person sees and ends itself alone.
func TestSessionsPageWithoutAPerson(t *testing.T) {
	for name, change := range map[string]func(*magiclink.Record){
		"no address":                func(r *magiclink.Record) { r.Email = "" },
		"no business":               func(r *magiclink.Record) { r.BusinessID, r.ExternalBusinessID = "", "" },
		"the tenant alone":          func(r *magiclink.Record) { r.Subject = magiclink.Subject{TenantID: "t1"} },
		"nothing":                   func(r *magiclink.Record) { r.Subject = magiclink.Subject{} },
		"the business's own id":     func(r *magiclink.Record) { r.Subject = magiclink.Subject{TenantID: "t1", BusinessID: business} },
		"the business's id of them": func(r *magiclink.Record) { r.Subject = magiclink.Subject{TenantID: "t1", ExternalBusinessID: "shop-7"} },
	} {
		t.Run(name, func(t *testing.T) {
			p := newPeople(t)
			person := p.signIn(jane)
			p.store.tamper = change
			mine, twin := p.signIn(jane), p.signIn(jane)
			p.requireList(mine.look(), false, mine.id())
			p.requireStays(mine.press(twin.id()))
			p.requireStays(mine.press(person.id()))
			require.True(t, mine.lasts() && twin.lasts() && person.lasts())
			p.requireLeaves(mine.press("everywhere"))
			require.False(t, mine.lasts())
			require.True(t, twin.lasts() && person.lasts())
		})
	}
}

// What an application says of a device is shown as text, with the times.
func TestSessionsPageDescribes(t *testing.T) {
	var asked []string
	p := newPeople(t, func(c *httpadapter.SessionsPageConfig) {
		c.Describe = func(r *http.Request, session magiclink.Session) string {
			_, bounded := r.Context().Deadline()
			require.True(t, bounded)
			asked = append(asked, session.ID)
			return "Fire" + "\u202e" + "fox " + hostile
		}
		c.App = hostile
		c.Location = time.FixedZone("CET", 3600)
	})
	mine, other := p.signIn(jane), p.signIn(jane)
	got := mine.look()
	require.Equal(t, []string{mine.id(), other.id()}, asked)
	require.Contains(t, got.body, "Firefox &#34;&gt;&lt;script&gt;")
	require.Equal(t, 1, strings.Count(got.body, "This browser"))
	require.NotContains(t, got.body, "Unknown device")
	require.NotContains(t, got.body, "<script")
	require.NotContains(t, got.body, "<img")
	require.Contains(t, got.body, `<time datetime="2026-03-14T12:00:07Z">2026-03-14 13:00 CET</time>`)
}

// Of very many sessions a page shows the newest, and all of them can be ended.
func TestSessionsPageOfManySessions(t *testing.T) {
	p := newPeople(t)
	mine := p.signIn(jane)
	list := make([]*visitor, 100)
	for n := range list {
		p.clock.Add(int64(time.Millisecond))
		list[n] = p.signIn(jane)
	}
	got := mine.look()
	require.Len(t, got.buttons(), 101)
	require.Contains(t, got.body, "Only the 100 newest sign-ins are shown.")
	require.Equal(t, mine.id(), got.buttons()[0])
	require.Equal(t, list[99].id(), got.buttons()[1])
	require.NotContains(t, got.body, list[0].id())
	p.requireStays(mine.press(list[0].id()))
	require.False(t, list[0].lasts(), "one that is not shown can be ended, too")
	require.NotContains(t, mine.look().body, "newest sign-ins")
	p.requireLeaves(mine.press("everywhere"))
	for _, v := range list {
		require.False(t, v.lasts())
	}
}

// The page needs no script, loads nothing, and is in the language that the browser prefers.
func TestSessionsPageLanguages(t *testing.T) {
	p := newPeople(t)
	mine, other := p.signIn(jane), p.signIn(jane)
	for _, tag := range language.All {
		prefers := []string{"Accept-Language", tag}
		list := mine.look(prefers...)
		pages := map[string]view{
			"listed": list, "signed out": (&visitor{people: p}).look(prefers...), "refused": mine.press("x", append(prefers, "Origin", "null")...),
		}
		p.store.failList.Store(true)
		pages["unavailable"], pages["unavailable, posted"] = mine.look(prefers...), mine.press(other.id(), prefers...)
		p.store.failList.Store(false)
		headings := map[string]bool{}
		for name, got := range pages {
			require.Contains(t, got.body, `<html lang="`+tag+`" dir="`+language.Direction(tag)+`">`, name)
			requireSecure(t, got)
			require.NotContains(t, got.body, "<script")
			require.NotRegexp(t, `(?i)\son\w+=|\ssrc=|style="|<iframe|<object|@import|url\(|http-equiv|autofocus`, got.body)
			require.Equal(t, 1, strings.Count(got.body, "<style nonce="))
			headings[regexp.MustCompile(`<h1>.*</h1>`).FindString(got.body)] = true
		}
		require.Len(t, headings, 4, tag)
		require.NotContains(t, headings, "")
		require.Equal(t, tag == "en", strings.Contains(list.body, "Sign out everywhere"), tag)
		require.NotEqual(t, pages["unavailable"].withoutNonce(), pages["unavailable, posted"].withoutNonce(), "a click may have been carried out")
	}
	require.True(t, other.lasts())
	fixed := newPeople(t, func(c *httpadapter.SessionsPageConfig) { c.Language = "tr" })
	got := fixed.signIn(jane).look("Accept-Language", "de")
	require.Contains(t, got.body, `<html lang="tr" dir="ltr">`)
	require.Equal(t, []string{"Cookie"}, got.header.Values("Vary"))
}

// Each language has every text of this page.
func TestSessionsPageTexts(t *testing.T) {
	names := func(tag string) []string {
		text, err := wordsOf("sessions", tag)
		require.NoError(t, err)
		return regexp.MustCompile(`\{\{define "[a-z-]+"\}\}|\{\{\.\w+\}\}|</?bdi>`).FindAllString(text, -1)
	}
	for _, tag := range language.All {
		require.ElementsMatch(t, names("en"), names(tag), tag)
	}
	require.Len(t, names("en"), 32)
}
