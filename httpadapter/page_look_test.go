package httpadapter_test

import (
	"errors"
	"html/template"
	"net/http"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/magiclink-go/magiclink"
	"github.com/magiclink-go/magiclink/httpadapter"
)

const hostile = `"><script>alert(1)</script>'&<img src=x onerror=alert(1)>`

// Nothing that is shown can become markup.
func TestHostileText(t *testing.T) {
	s := newSite(t, func(c *httpadapter.PageConfig) {
		c.App = hostile
		c.ActiveAccount = func(*http.Request) string { return hostile }
	})
	in := create
	in.Path = `/"><script>alert(1)</script>'&<b>`
	s.store.tamper = func(record *magiclink.Record) { record.Email = `x"><script>@` + hostile }
	link, _ := s.link(in)
	got := s.browser().get(link)
	require.Equal(t, http.StatusOK, got.status)
	dead := s.browser().get(s.server.URL + "/magic?token=" + "%22%3E%3Cscript%3E")
	require.Equal(t, http.StatusGone, dead.status)
	for _, shown := range []view{got, dead} {
		for _, markup := range []string{"<script", "<img", "<b>", "alert(1)</", `x">`} {
			require.NotContains(t, shown.body, markup)
		}
		require.Contains(t, shown.body, "&lt;script&gt;", "the control: it is there, as text")
	}
}

// The pages have no script, load nothing, and have one style, with the nonce of their policy, which is new each time.
func TestPagesNeedNothing(t *testing.T) {
	s := newSite(t)
	link, _ := s.link(create)
	nonces := map[string]bool{}
	for _, got := range []view{
		s.browser().get(link), s.browser().get(link), s.browser().get(s.server.URL + "/magic"),
		s.browser().send(http.MethodPost, s.server.URL+"/magic", ""), s.browser().send(http.MethodPut, link, ""),
	} {
		require.NotContains(t, got.body, "<script")
		require.NotRegexp(t, `(?i)\son\w+=|\ssrc=|style="|<link|<iframe|<object|@import|url\(|http-equiv|autofocus`, got.body)
		style := regexp.MustCompile(`<style nonce="([^"]+)">`).FindAllStringSubmatch(got.body, -1)
		require.Len(t, style, 1)
		nonce := style[0][1]
		require.Contains(t, got.header.Get("Content-Security-Policy"), "style-src 'nonce-"+nonce+"'")
		require.False(t, nonces[nonce])
		nonces[nonce] = true
	}
}

func TestMasking(t *testing.T) {
	s := newSite(t)
	for address, want := range map[string]string{
		"jane@example.com": "as j•••@example.com?", "j@example.com": "as •••@example.com?", "": "Sign in?",
		"jk@example.com": "as j•••@example.com?", strings.Repeat("x", 64) + "@example.com": "as x•••@example.com?",
		"j.o'neil+tag@mail.example.com": "as j•••@mail.example.com?", "no-address": "Sign in?", "@example.com": "as •••@example.com?",
		"émile@example.com": "•••@example.com?",
	} {
		t.Run(address, func(t *testing.T) {
			s.store.tamper = func(record *magiclink.Record) { record.Email = address }
			link, _ := s.link(create)
			got := s.browser().get(link)
			require.Contains(t, got.body, want)
			if len(address) > 14 {
				require.NotContains(t, got.body, address)
			}
			require.NotContains(t, got.body, "\uFFFD", "no character was cut")
		})
	}
}

// The page warns who is signed in already: by the address, else by the business.
func TestActiveAccount(t *testing.T) {
	s := newSite(t)
	for want, redeemed := range map[string]magiclink.Redemption{
		"m•••@example.com": {Email: "mallory@example.com", ExternalBusinessID: "shop-8", BusinessID: business, SessionTimeout: 1e12},
		"shop-8":           {ExternalBusinessID: "shop-8", BusinessID: business, SessionTimeout: 1e12},
		business:           {BusinessID: business, SessionTimeout: 1e12},
		"":                 {Email: "mallory@example.com", SessionTimeout: 0},
	} {
		link, _ := s.link(create)
		token, _, _ := s.sessions.Grant(redeemed)
		got := s.browser().send(http.MethodGet, link, "", "Cookie", httpadapter.SessionCookie+"="+token)
		require.Equal(t, want != "", strings.Contains(got.body, "already signed in"))
		if want != "" {
			require.Contains(t, got.body, "<strong>"+want+"</strong>")
		}
		require.NotContains(t, got.body, "mallory")
	}
}

// An application may show pages of its own, and is told everything that they need.
func TestOwnTemplate(t *testing.T) {
	own := template.Must(template.New("own").Parse(
		`{{.State}}|{{.App}}|{{.Account}}|{{.ActiveAccount}}|{{.Destination}}|{{.NewLinkURL}}|{{if .Nonce}}nonce{{end}}` +
			`{{if eq .State "confirm"}}<form method="post" action="{{.Action}}"><input type="hidden" name="token" value="{{.Token}}">` +
			`<input type="hidden" name="form" value="{{.FormToken}}"></form>{{end}}`))
	s := newSite(t, func(c *httpadapter.PageConfig) {
		c.Template, c.NewLinkURL, c.App = own, "/new", ""
		c.ActiveAccount = func(*http.Request) string { return "Mallory" }
	})
	host := strings.TrimPrefix(s.server.URL, "https://")
	link, _ := s.link(create)
	b := s.browser()
	got := b.get(link)
	require.Contains(t, got.body, "confirm|"+host+"|j•••@example.com|Mallory|"+host+"/reports|/new|nonce<form")
	require.Equal(t, http.StatusSeeOther, b.post(got.form(t)).status)
	require.Equal(t, "dead|"+host+"||||/new|nonce", b.get(link).body)
	require.Equal(t, "refused|"+host+"||||/new|nonce", b.send(http.MethodPost, link, "").body)
}

// A template that fails half-way leaves no half a page, whatever was to be shown, and redeems nothing.
func TestFailingTemplate(t *testing.T) {
	for name, fail := range map[string]func() (string, error){
		"error": func() (string, error) { return "", errors.New(canaryText) },
		"panic": func() (string, error) { panic(canaryText) },
	} {
		t.Run(name, func(t *testing.T) {
			own := template.Must(template.New("own").Funcs(template.FuncMap{"fail": fail}).Parse(`half a page {{.Token}} {{fail}}`))
			s := newSite(t, func(c *httpadapter.PageConfig) { c.Template = own })
			link, _ := s.link(create)
			for _, got := range []view{
				s.browser().get(link), s.browser().get(link + "x"), s.browser().send(http.MethodPost, link, ""),
				s.browser().send(http.MethodPut, link, ""), s.browser().send(http.MethodHead, link, ""),
			} {
				require.Equal(t, http.StatusServiceUnavailable, got.status)
				require.Equal(t, "2", got.header.Get("Retry-After"))
				requireSecure(t, got)
				require.NotContains(t, got.body, "half a page")
				require.NotContains(t, got.body, canaryText)
			}
			require.Contains(t, s.log.String(), "template failed")
			require.NotContains(t, s.log.String(), canaryText)
			require.NotContains(t, s.log.String(), "eyJ")
			s.requireUsable(link)
		})
	}
}

const canaryText = "CANARY-7f3a"
