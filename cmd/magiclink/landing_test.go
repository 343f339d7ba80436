package main_test

import (
	"encoding/json"
	"html"
	"io"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"
)

// send sends a request with headers given as names and values in turn, and follows no redirection.
func (p *process) send(method, path, body string, headers ...string) answer {
	p.t.Helper()
	r, err := http.NewRequest(method, p.origin+path, strings.NewReader(body))
	require.NoError(p.t, err)
	for pair := range slices.Chunk(headers, 2) {
		r.Header.Add(pair[0], pair[1])
	}
	client := http.Client{
		Timeout:       httpClient.Timeout,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	response, err := client.Do(r)
	require.NoError(p.t, err)
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	require.NoError(p.t, err)
	return answer{response.StatusCode, response.Header, string(text)}
}

// magicLink issues a link over HTTP and returns its path and query on the server.
func (p *process) magicLink() (target string) {
	p.t.Helper()
	got := p.issue(p.token(), acme)
	require.Equal(p.t, http.StatusCreated, got.status, got.body)
	var body struct {
		Data struct {
			MagicLink string `json:"magic_link"`
		} `json:"data"`
	}
	require.NoError(p.t, json.Unmarshal([]byte(got.body), &body))
	u, err := url.Parse(body.Data.MagicLink)
	require.NoError(p.t, err)
	return u.RequestURI()
}

var (
	pageAction = regexp.MustCompile(`<form method="post" action="([^"]*)">`)
	pageField  = regexp.MustCompile(`<input type="hidden" name="([^"]*)" value="([^"]*)">`)
)

// click opens a link, posts its form, and returns the answer.
func (p *process) click(target string) answer {
	p.t.Helper()
	shown := p.get(target)
	require.Equal(p.t, http.StatusOK, shown.status, shown.body)
	fields := url.Values{}
	for _, field := range pageField.FindAllStringSubmatch(shown.body, -1) {
		fields.Set(field[1], html.UnescapeString(field[2]))
	}
	action := pageAction.FindStringSubmatch(shown.body)
	require.NotNil(p.t, action, shown.body)
	to, err := url.Parse(html.UnescapeString(action[1]))
	require.NoError(p.t, err)
	cookie, _, _ := strings.Cut(shown.header.Get("Set-Cookie"), ";")
	return p.send(http.MethodPost, to.RequestURI(), fields.Encode(), "Content-Type", "application/x-www-form-urlencoded", "Cookie", cookie,
		"Origin", to.Scheme+"://"+to.Host, "Sec-Fetch-Site", "same-origin")
}

// sessionCookie is the cookie of a session that an answer starts.
func (a answer) sessionCookie(t *testing.T) string {
	t.Helper()
	for _, cookie := range a.header.Values("Set-Cookie") {
		if strings.HasPrefix(strings.TrimPrefix(cookie, "__Host-"), "magiclink_session=") {
			value, _, _ := strings.Cut(cookie, ";")
			return value
		}
	}
	t.Fatalf("no session cookie in %v", a.header)
	return ""
}

// From the link to the landing page, the session, and out again.
func TestSigningInAndOut(t *testing.T) {
	p := serve(t, t.TempDir(), testClient)
	require.Equal(t, http.StatusUnauthorized, p.get("/session").status)
	nobody := p.get("/reports")
	require.Equal(t, http.StatusOK, nobody.status)
	require.Contains(t, nobody.body, "You are not signed in")
	require.NotContains(t, nobody.body, "/logout")

	target := p.magicLink()
	got := p.click(target)
	require.Equal(t, http.StatusSeeOther, got.status, got.body)
	require.Equal(t, p.origin+"/reports", got.header.Get("Location"))
	cookie := got.sessionCookie(t)
	require.Equal(t, http.StatusGone, p.get(target).status)

	landed := p.send(http.MethodGet, "/reports", "", "Cookie", cookie)
	require.Equal(t, http.StatusOK, landed.status)
	require.Contains(t, landed.body, "You are signed in as <bdi>jane@example.com</bdi>")
	require.Contains(t, landed.body, "<code>/reports</code>")
	require.Contains(t, landed.body, `action="/logout"`)
	require.NotContains(t, landed.body, "biz_", "no ids unless asked")
	require.NotContains(t, landed.body, "mlk_")
	require.Equal(t, "no-store", landed.header.Get("Cache-Control"))
	require.Contains(t, landed.header.Get("Content-Security-Policy"), "default-src 'none'")

	session := p.send(http.MethodGet, "/session", "", "Cookie", cookie)
	require.Equal(t, http.StatusOK, session.status)
	require.Contains(t, session.body, `"email":"jane@example.com"`)
	require.Contains(t, session.body, `"external_business_id":"acme"`)
	_, token, _ := strings.Cut(cookie, "=")
	require.Equal(t, session.body, p.send(http.MethodGet, "/session", "", "Authorization", "Bearer "+token).body)

	for name, headers := range map[string][]string{
		"cross-site":     {"Origin", "https://evil.example", "Sec-Fetch-Site", "cross-site"},
		"same-site":      {"Sec-Fetch-Site", "same-site"},
		"another origin": {"Origin", "https://evil.example"},
	} {
		refused := p.send(http.MethodPost, "/logout", "", append([]string{"Cookie", cookie}, headers...)...)
		require.Equal(t, http.StatusForbidden, refused.status, name)
		require.Empty(t, refused.header.Values("Set-Cookie"))
		require.Contains(t, refused.body, `"data":null`)
	}
	for _, method := range []string{http.MethodGet, http.MethodHead, http.MethodPut} {
		refused := p.send(method, "/logout", "", "Cookie", cookie)
		require.Equal(t, http.StatusMethodNotAllowed, refused.status)
		require.Equal(t, "POST", refused.header.Get("Allow"))
		require.Empty(t, refused.header.Values("Set-Cookie"))
	}
	out := p.send(http.MethodPost, "/logout", "", "Cookie", cookie, "Origin", p.origin, "Sec-Fetch-Site", "same-origin")
	require.Equal(t, http.StatusSeeOther, out.status)
	require.Equal(t, "/", out.header.Get("Location"))
	require.Equal(t, []string{"magiclink_session=; Path=/; Max-Age=0; HttpOnly; SameSite=Lax"}, out.header.Values("Set-Cookie"))
	require.Equal(t, http.StatusUnauthorized, p.send(http.MethodGet, "/session", "", "Cookie", cookie).status, "for every copy")

	require.Zero(t, p.stop(syscall.SIGTERM))
	for _, secret := range []string{token, target, "jane", "eyJ"} {
		require.NotContains(t, p.errors(), secret)
	}
	require.Contains(t, p.errors(), "route=/logout", "the control: requests are logged")
}

func TestRedeemRoute(t *testing.T) {
	p := serve(t, t.TempDir(), testClient)
	target := p.magicLink()
	body := `{"token":"` + bareToken(target) + `"}`
	got := p.send(http.MethodPost, "/v0/auth/magic-link/redeem", body, "Content-Type", "application/json")
	require.Equal(t, http.StatusOK, got.status, got.body)
	require.Contains(t, got.body, `"path":"/reports"`)
	again := p.send(http.MethodPost, "/v0/auth/magic-link/redeem", body, "Content-Type", "application/json")
	require.Equal(t, http.StatusGone, again.status)
	require.Equal(t, http.StatusGone, p.get(target).status)
}

// The pages say what the operator has configured.
func TestPagesOfTheOperator(t *testing.T) {
	p := serve(t, t.TempDir(), testClient, "-store", "memory", "-app-name", "Acme Reports",
		"-new-link-url", "https://app.example.com/sign-in", "-show-ids")
	nobody := p.get("/")
	require.Contains(t, nobody.body, "<title>Not signed in · Acme Reports</title>")
	require.Contains(t, nobody.body, `href="https://app.example.com/sign-in"`)
	target := p.magicLink()
	require.Contains(t, p.get(target).body, "Acme Reports")
	landed := p.send(http.MethodGet, "/reports", "", "Cookie", p.click(target).sessionCookie(t))
	require.Contains(t, landed.body, "biz_")
	require.Contains(t, landed.body, "mlk_")
	require.Contains(t, p.get(target).body, `href="https://app.example.com/sign-in"`, "a used link leads on")
}

// What the address says is shown as text.
func TestLandingPageEscapes(t *testing.T) {
	p := serve(t, t.TempDir(), testClient, "-store", "memory")
	cookie := p.click(p.magicLink()).sessionCookie(t)
	got := p.send(http.MethodGet, "/%3Cscript%3Ealert(1)%3C%2Fscript%3E", "", "Cookie", cookie)
	require.Equal(t, http.StatusOK, got.status)
	require.NotContains(t, got.body, "<script")
	require.Contains(t, got.body, "&lt;script&gt;")
	require.Equal(t, http.StatusNotFound, p.send(http.MethodPost, "/nothing", "").status)
}

// Wherever the links lead, their page is there, and the rest is what it was.
func TestBaseURLs(t *testing.T) {
	for name, path := range map[string]string{
		"none": "", "slash": "/", "one": "/go", "trailing slash": "/go/", "two": "/sign/in", "odd": "/a+b,c;d=e@f:g~h!$&'()*",
		"encoded letter": "/m%C3%A4gic", "encoded space": "/a%20b", "encoded braces": "/%7Bx%7D", "encoded percent": "/100%25", "encoded percent and digits": "/a%2525", "below a route": "/session/x", "beside the API": "/v0/magic",
	} {
		t.Run(name, func(t *testing.T) {
			p := serve(t, t.TempDir(), testClient, "-store", "memory", "-base-url", "https://app.example.com"+path)
			target := p.magicLink()
			require.True(t, strings.HasPrefix(target, strings.TrimSuffix(path, "/")+"/reports?token="), target)
			shown := p.get(target)
			require.Equal(t, http.StatusOK, shown.status)
			require.Contains(t, shown.body, "j•••@example.com")
			got := p.click(target)
			require.Equal(t, http.StatusSeeOther, got.status, got.body)
			require.Equal(t, "https://app.example.com/reports", got.header.Get("Location"))
			landed := p.send(http.MethodGet, "/reports", "", "Cookie", got.sessionCookie(t))
			require.Contains(t, landed.body, "You are signed in as <bdi>jane@example.com</bdi>")
			require.Equal(t, http.StatusOK, p.send(http.MethodGet, "/session", "", "Cookie", got.sessionCookie(t)).status)
			require.Equal(t, http.StatusOK, p.get("/healthz").status)
		})
	}
}

// A base URL that would take the place of something else is refused with one line.
func TestBaseURLsThatAreTaken(t *testing.T) {
	folder := installed(t)
	for _, path := range []string{
		"/session", "/session/", "/logout", "/healthz", "/readyz", "/openapi.yaml", "/.well-known/jwks.json", "/v0/auth/token",
		"/v0/auth/magic-link", "/v0/auth/magic-link/redeem", "/sign-in", "/sessions", "/a//b", "/../x", "/%2e%2e/x", "//",
	} {
		t.Run(path, func(t *testing.T) {
			got := command(t, folder, nil, "serve", "-addr", "127.0.0.1:0", "-base-url", "https://app.example.com"+path)
			require.Equal(t, 2, got.code)
			require.Equal(t, 1, strings.Count(got.stderr, "\n"), "one line: %s", got.stderr)
			require.Contains(t, got.stderr, "serve: -base-url ")
		})
	}
}

// With the page at the root a path that serve has itself is still the page's where a link leads there.
func TestLinksToPathsOfServe(t *testing.T) {
	for _, base := range []string{"", "/magic"} {
		p := serve(t, t.TempDir(), testClient, "-store", "memory", "-base-url", "https://app.example.com"+base)
		for _, path := range []string{"/session", "/logout", "/healthz", "/"} {
			got := p.issue(p.token(), `{"external_business_id":"acme","path":"`+path+`"}`)
			require.Equal(t, http.StatusCreated, got.status)
			link, err := url.Parse(regexp.MustCompile(`https://[^"]+`).FindString(got.body))
			require.NoError(t, err)
			shown := p.get(link.RequestURI())
			require.Contains(t, shown.body, "Sign in", "base %q, path %s", base, path)
		}
	}
}
