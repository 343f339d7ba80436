package httpadapter_test

import (
	"errors"
	"html/template"
	"math"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strconv"
	"strings"
	"sync/atomic"
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
		require.NotRegexp(t, `(?i)\son\w+=|\ssrc=|style="|<iframe|<object|@import|url\(|http-equiv|autofocus`, got.body)
		require.Equal(t, 1, strings.Count(got.body, "<link"))
		require.Contains(t, got.body, `<meta name="referrer" content="strict-origin">`)
		require.Contains(t, got.body, `<link rel="icon" href="data:image/svg`)
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
		"jane@example.com": "as <bdi>j•••@example.com</bdi>?", "j@example.com": "as <bdi>•••@example.com</bdi>?", "": "Sign in?",
		"jk@example.com": "as <bdi>j•••@example.com</bdi>?", strings.Repeat("x", 64) + "@example.com": "as <bdi>x•••@example.com</bdi>?",
		"j.o'neil+tag@mail.example.com": "as <bdi>j•••@mail.example.com</bdi>?", "no-address": "Sign in?", "@example.com": "as <bdi>•••@example.com</bdi>?",
		"émile@example.com": "as <bdi>é•••@example.com</bdi>?",
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
	subject := magiclink.Subject{Email: "mallory@example.com", ExternalBusinessID: "shop-8", BusinessID: business}
	for want, change := range map[string]func(*magiclink.Record){
		"m•••@example.com": func(record *magiclink.Record) { record.Subject = subject },
		"shop-8":           func(record *magiclink.Record) { record.Subject = subject; record.Email = "" },
		business:           func(record *magiclink.Record) { record.Subject = magiclink.Subject{BusinessID: business} },
		"shop-8\u200d": func(record *magiclink.Record) {
			record.Subject = magiclink.Subject{ExternalBusinessID: "\u202eshop-8\u200d"}
		},
	} {
		s.store.tamper = change
		old, _ := s.link(create)
		b := s.browser()
		require.Equal(t, http.StatusSeeOther, b.click(old).status)
		link, _ := s.link(create)
		got := b.get(link)
		require.Contains(t, got.body, "already signed in here as <strong><bdi>"+want+"</bdi></strong>")
		require.NotContains(t, got.body, "mallory")
		require.NotContains(t, s.browser().get(link).body, "already signed in", "the control: another browser")
	}
}

// An application may show pages of its own, and is told everything that they need.
func TestOwnTemplate(t *testing.T) {
	own := template.Must(template.New("own").Parse(
		`{{.State}}|{{.App}}|{{.Account}}|{{.ActiveAccount}}|{{.Destination}}|{{.NewLinkURL}}|{{if .Nonce}}nonce{{end}}|{{.LinkURL}}` +
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
	require.Contains(t, got.body, "confirm|"+host+"|j•••@example.com|Mallory|"+host+"/reports|/new|nonce|"+s.server.URL+"/magic?token="+tokenOf(t, link)+"<form")
	require.Equal(t, http.StatusSeeOther, b.post(got.form(t)).status)
	require.Equal(t, "dead|"+host+"||||/new|nonce|", s.browser().get(link).body)
	require.Equal(t, "refused|"+host+"||||/new|nonce|", b.send(http.MethodPost, link, "").body)
}

// A template that fails half-way leaves no half a page, whatever was to be shown, and redeems nothing.
func TestFailingTemplate(t *testing.T) {
	for name, fail := range map[string]func() (string, error){
		"error": func() (string, error) { return "", errors.New(canaryText) },
		"panic": func() (string, error) { panic(canaryText) },
	} {
		t.Run(name, func(t *testing.T) {
			var broken atomic.Bool // by something that NewPage cannot see
			failLater := func() (string, error) {
				if !broken.Load() {
					return "", nil
				}
				return fail()
			}
			own := template.Must(template.New("own").Funcs(template.FuncMap{"fail": failLater}).Parse(`half a page {{.Token}} {{fail}}`))
			s := newSite(t, func(c *httpadapter.PageConfig) { c.Template = own })
			link, _ := s.link(create)
			broken.Store(true)
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

// Characters that are not seen and change how a text is read are removed, in what the application gives and what is stored.
func TestFormatCharacters(t *testing.T) {
	const hidden = "\u202e\u202a\u2066\u2069\u200b\u200f\u061c\ufeff\u00ad\u2028\u2029\u0007\x7f\U000E0041"
	s := newSite(t, func(c *httpadapter.PageConfig) { c.App = "Ac" + hidden + "me \u05e9\u05dc\u05d5\u05dd" })
	s.store.tamper = func(record *magiclink.Record) {
		record.Email = "j" + hidden + "ane@exa" + hidden + "mple.com"
		record.ExternalBusinessID = "shop" + hidden
	}
	link, _ := s.link(create)
	b := s.browser()
	got := b.get(link)
	require.Contains(t, got.body, "<bdi>Acme \u05e9\u05dc\u05d5\u05dd</bdi>")
	require.Contains(t, got.body, "<bdi>j•••@example.com</bdi>")
	for _, c := range hidden {
		require.NotContains(t, got.body, string(c))
	}
}

// A long address is cut in its middle: its end says whose domain it is.
func TestLongAddresses(t *testing.T) {
	s := newSite(t)
	domain := strings.Repeat("sub.", 55) + "evil.example"
	s.store.tamper = func(record *magiclink.Record) { record.Email = "jane@" + domain }
	in := create
	in.Path = "/" + strings.Repeat("long/", 90) + "end"
	link, _ := s.link(in)
	body := strings.ReplaceAll(s.browser().get(link).body, "<wbr>", "")
	require.Regexp(t, `<bdi>j•••@sub\.[a-z.]+…[a-z.]+\.evil\.example</bdi>`, body)
	require.Regexp(t, `<bdi dir="ltr">`+regexp.QuoteMeta(strings.TrimPrefix(s.server.URL, "https://"))+`/long/[a-z/]+…[a-z/]+/end</bdi>`, body)
	require.NotContains(t, body, domain)
}

func TestLogo(t *testing.T) {
	s := newSite(t)
	host := strings.TrimPrefix(s.server.URL, "https://")
	for logo, want := range map[string][2]string{ // src and img-src; empty where it is refused
		"":                                    {"", "data:"},
		"/static/logo.svg":                    {s.server.URL + "/static/logo.svg", "data: https://" + host + "/static/logo.svg"},
		"https://cdn.example.com/l;o,g'o.png": {"https://cdn.example.com/l;o,g%27o.png", "data: https://cdn.example.com/l%3Bo%2Cg%27o.png"},
		"data:image/png;base64,iVBORw0KGgo=":  {"data:image/png;base64,iVBORw0KGgo=", "data:"},
		"http://cdn.example.com/logo.png":     {}, "javascript:alert(1)": {}, "data:text/html;base64,PGI+": {}, "logo.png": {}, "/logo.png?x=1": {},
		"//cdn.example.com/logo.png": {}, "https://cdn.example.com/": {}, "https://cdn.example.com": {}, "https:///logo.png": {},
		"data:image/svg+xml,<svg>": {}, "https://u:p@cdn.example.com/l.png": {}, "https://[2001:db8::1]/l.png": {}, "/logo.png#x": {},
		"https://cdn.example.com/a b.png": {}, "https://cdn.example.com/logo.png\nx": {}, "https://*.example.com/l.png": {}, "https://cdn.example.com/l.png?v=1": {}, "https://cdn.example.com/l.png#x": {},
	} {
		config := httpadapter.PageConfig{Redeemer: s.redeemer, Sessions: s.sessions, Logo: logo, Now: s.now}
		page, err := httpadapter.NewPage(config)
		if want == [2]string{} {
			require.Error(t, err, logo)
			require.Equal(t, []string{"Logo"}, faultyFields(t, err))
			continue
		}
		require.NoError(t, err, logo)
		w := httptest.NewRecorder()
		page.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/", nil))
		require.Contains(t, w.Header().Get("Content-Security-Policy"), "; img-src "+want[1]+"; ", logo)
		if want[0] == "" {
			require.NotContains(t, w.Body.String(), "<img")
		} else {
			require.Contains(t, w.Body.String(), `<img class="logo" src="`+want[0]+`" alt="" referrerpolicy="no-referrer">`)
		}
	}
}

func TestColors(t *testing.T) {
	s := newSite(t)
	for name, row := range map[string]struct {
		light, dark httpadapter.PageColors
		faults      []string
		want        []string
	}{
		"built-in": {want: []string{"--card:#ffffff;--text:#1c2330", "--card:#1a1f28;--text:#e9ecf2", "--accent:#2557d6", "--accent:#86a8ff"}},
		"accent":   {light: httpadapter.PageColors{Accent: "#FFCC00"}, want: []string{"--accent:#ffcc00;", "--on-accent:#000000"}},
		"dark accent": {
			light: httpadapter.PageColors{Accent: "#7b1fa2"}, dark: httpadapter.PageColors{Accent: "#e1bee7"},
			want: []string{"--accent:#7b1fa2;", "--on-accent:#ffffff", "--accent:#e1bee7;", "--on-accent:#000000"},
		},
		"all":                               {light: httpadapter.PageColors{Accent: "#000000", Background: "#fdf6e3", Text: "#333333"}, want: []string{"--card:#fdf6e3;--text:#333333"}},
		"malformed":                         {light: httpadapter.PageColors{Accent: "red"}, faults: []string{"Colors.Accent"}},
		"short":                             {dark: httpadapter.PageColors{Background: "#fff"}, faults: []string{"DarkColors.Background"}},
		"signed":                            {dark: httpadapter.PageColors{Background: "#+12345"}, faults: []string{"DarkColors.Background"}},
		"markup":                            {light: httpadapter.PageColors{Text: "#000;}</style>"}, faults: []string{"Colors.Text"}},
		"unreadable":                        {light: httpadapter.PageColors{Text: "#aaaaaa"}, faults: []string{"Colors.Text"}},
		"unreadable on the built-in colour": {dark: httpadapter.PageColors{Background: "#ffffff"}, faults: []string{"DarkColors.Background"}},
		"malformed beside a dark accent":    {light: httpadapter.PageColors{Accent: "red"}, dark: httpadapter.PageColors{Accent: "blue"}, faults: []string{"Colors.Accent", "DarkColors.Accent"}},
		"text on a malformed background":    {light: httpadapter.PageColors{Background: "black", Text: "#ffffff"}, faults: []string{"Colors.Background"}},
		"malformed text on a background":    {light: httpadapter.PageColors{Background: "#000000", Text: "white"}, faults: []string{"Colors.Text"}},
		"both unreadable":                   {light: httpadapter.PageColors{Background: "#777777", Text: "#888888"}, faults: []string{"Colors.Text"}},
	} {
		t.Run(name, func(t *testing.T) {
			page, err := httpadapter.NewPage(httpadapter.PageConfig{
				Redeemer: s.redeemer, Sessions: s.sessions, Colors: row.light, DarkColors: row.dark, Now: s.now,
			})
			if row.faults != nil {
				require.Equal(t, row.faults, faultyFields(t, err))
				return
			}
			require.NoError(t, err)
			w := httptest.NewRecorder()
			page.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/", nil))
			for _, want := range row.want {
				require.Contains(t, w.Body.String(), want)
			}
			requireReadable(t, w.Body.String())
		})
	}
}

// requireReadable computes the contrasts of the page's colours anew: 4.5 for text (WCAG 2.2, criterion 1.4.3).
func requireReadable(t *testing.T, body string) {
	t.Helper()
	schemes := regexp.MustCompile(`:root\{(--page[^}]*)\}`).FindAllStringSubmatch(body, -1)
	require.Len(t, schemes, 2)
	for _, scheme := range schemes {
		colors := map[string]float64{} // luminance by name
		for _, property := range regexp.MustCompile(`--([a-z-]+):#([0-9a-f]{6})`).FindAllStringSubmatch(scheme[1], -1) {
			value, err := strconv.ParseUint(property[2], 16, 32)
			require.NoError(t, err)
			linear := func(channel uint64) float64 {
				v := float64(channel&255) / 255
				if v <= 0.04045 {
					return v / 12.92
				}
				return math.Pow((v+0.055)/1.055, 2.4)
			}
			colors[property[1]] = 0.2126*linear(value>>16) + 0.7152*linear(value>>8) + 0.0722*linear(value)
		}
		require.Len(t, colors, 11)
		for _, pair := range [][2]string{{"text", "card"}, {"quiet", "card"}, {"on-accent", "accent"}, {"on-accent", "hover"}, {"warn-text", "warn"}} {
			a, b := colors[pair[0]], colors[pair[1]]
			require.GreaterOrEqual(t, (max(a, b)+.05)/(min(a, b)+.05), 4.5, "%v in %s", pair, scheme[1])
		}
	}
}

// Every page has a way on, and no page claims what nobody knows.
func TestEveryStateHasAWayOn(t *testing.T) {
	s := newSite(t, func(c *httpadapter.PageConfig) {
		c.Admit = func(*http.Request, magiclink.Redemption) error { return httpadapter.ErrRefused }
	})
	link, _ := s.link(create)
	b := s.browser()
	shown := b.get(link)
	all := map[string]view{
		"confirm": shown, "dead": b.get(link + "x"), "not admitted": b.post(shown.form(t)), "method": b.send(http.MethodPut, link, ""),
		"refused": s.browser().post(shown.form(t)), "refused, empty": s.browser().send(http.MethodPost, s.server.URL+"/magic", ""),
		"wrong address": b.post(shown.form(t), "Origin", "null"),
	}
	s.store.failAfter(0)
	all["unavailable"], all["unavailable, posted"] = b.get(link), b.post(shown.form(t))
	for name, got := range all {
		ways := strings.Count(got.body, `<a class="button" href="`+s.server.URL) + strings.Count(got.body, "<button type=")
		require.Equal(t, 1, ways, name)
		require.NotContains(t, strings.ToLower(got.body), "still works", name)
		require.Contains(t, got.body, "<title>", name)
		require.NotContains(t, got.body, "mlk_", name)
	}
}
