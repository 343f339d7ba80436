package httpadapter_test

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/magiclink-go/magiclink"
	"github.com/magiclink-go/magiclink/httpadapter"
	"github.com/magiclink-go/magiclink/store/memory"
)

func serviceConfig(tb testing.TB, change ...func(*httpadapter.ServiceConfig)) httpadapter.ServiceConfig {
	tb.Helper()
	clients, err := httpadapter.StaticClients(httpadapter.Client{
		ID: "crm", SecretSHA256: httpadapter.HashSecret("canary-secret"), TenantID: "t1", Scopes: []string{httpadapter.ScopeCreate},
	})
	require.NoError(tb, err)
	logger, _ := logTo()
	config := httpadapter.ServiceConfig{
		Config: magiclink.Config{
			BaseURL: baseURL, Keys: seededKeyring(tb), Store: memory.New(), Businesses: magiclink.AnyBusiness, Now: now,
			Logger: logger,
		},
		Clients: clients, App: "Acme", NewLinkURL: "/sign-in", Health: true,
	}
	for _, c := range change {
		c(&config)
	}
	return config
}

func newService(tb testing.TB, change ...func(*httpadapter.ServiceConfig)) *httpadapter.Service {
	tb.Helper()
	service, err := httpadapter.NewService(serviceConfig(tb, change...))
	require.NoError(tb, err)
	return service
}

// send sends a request with a body to a path.
func send(handler http.Handler, method, target, contentType, body string, headers ...string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, target, strings.NewReader(body))
	r.Header.Set("Content-Type", contentType)
	for n := 0; n < len(headers); n += 2 {
		r.Header.Add(headers[n], headers[n+1])
	}
	w := httptest.NewRecorder()
	handler.ServeHTTP(w, r)
	return w
}

func dataOf(tb testing.TB, w *httptest.ResponseRecorder) map[string]any {
	tb.Helper()
	var body struct{ Data map[string]any }
	require.NoError(tb, json.Unmarshal(w.Body.Bytes(), &body), "%s", w.Body)
	return body.Data
}

// From a client's secret to the end of a session, through one handler that one configuration has made.
func TestServiceFromTokenToLogout(t *testing.T) {
	s := newService(t)
	var token struct {
		AccessToken string `json:"access_token"`
	}
	w := send(s, "POST", httpadapter.TokenPath, typeForm, goodForm)
	require.Equal(t, http.StatusOK, w.Code, "%s", w.Body)
	require.NoError(t, json.Unmarshal(w.Body.Bytes(), &token))

	w = send(s, "POST", httpadapter.IssuePath, typeJSON,
		`{"business_id":"`+business+`","email":"jane@example.com","path":"/reports"}`, "Authorization", "Bearer "+token.AccessToken)
	require.Equal(t, http.StatusCreated, w.Code, "%s", w.Body)
	link := dataOf(t, w)["magic_link"].(string)

	w = call(s, "GET", link)
	require.Equal(t, http.StatusOK, w.Code)
	require.Contains(t, w.Body.String(), "Acme")

	w = send(s, "POST", httpadapter.RedeemPath, typeJSON, `{"token":"`+link+`"}`)
	require.Equal(t, http.StatusOK, w.Code, "%s", w.Body)
	session := []string{"Authorization", "Bearer " + dataOf(t, w)["session_token"].(string)}
	require.Equal(t, http.StatusOK, call(s, "GET", httpadapter.SessionPath, session...).Code)
	require.Equal(t, http.StatusSeeOther, call(s, "POST", httpadapter.LogoutPath, session...).Code)
	require.Equal(t, http.StatusUnauthorized, call(s, "GET", httpadapter.SessionPath, session...).Code)
	require.Equal(t, http.StatusGone, call(s, "GET", link).Code)
}

func TestServiceRoutes(t *testing.T) {
	s := newService(t)
	for path, want := range map[string]struct {
		status    int
		mediaType string
	}{
		httpadapter.HealthPath:      {200, typeJSON},
		httpadapter.ReadyPath:       {200, typeJSON},
		httpadapter.OpenAPIPath:     {200, "application/yaml"},
		httpadapter.OpenAPIJSONPath: {200, typeJSON},
		httpadapter.JWKSPath:        {200, "application/jwk-set+json"},
		httpadapter.MetadataPath:    {200, typeJSON},
		httpadapter.SessionPath:     {401, typeJSON},
		httpadapter.TokenPath:       {405, typeJSON},
		httpadapter.IssuePath:       {405, typeJSON},
		httpadapter.RedeemPath:      {405, typeJSON},
		httpadapter.LogoutPath:      {405, typeJSON},
		"/magic":                    {410, "text/html; charset=utf-8"},
		"/magic/":                   {410, "text/html; charset=utf-8"},
		"/magic/reports":            {410, "text/html; charset=utf-8"},
		"/magical":                  {404, typeJSON},
		"/":                         {404, typeJSON},
		"/v0":                       {404, typeJSON},
		"/v0/":                      {404, typeJSON},
		"/v0/auth/token/":           {404, typeJSON},
		"/v0/auth/magic-links":      {401, typeJSON},
		"//v0/auth/x":               {404, typeJSON},
		"/.well-known":              {404, typeJSON},
		"/.well-known/security.txt": {404, typeJSON},
		"/.well-known/oauth-authorization-server/magic": {404, typeJSON},
	} {
		w := call(s, "GET", path)
		require.Equal(t, want.status, w.Code, path)
		require.Equal(t, want.mediaType, w.Header().Get("Content-Type"), path)
		if want.mediaType == typeJSON && want.status >= 400 {
			requireEnvelope(t, want.status, w)
			require.Equal(t, "no-store", w.Header().Get("Cache-Control"), path)
		}
	}
}

// Unknown paths of the API are never the application's, and all other unknown paths are.
// A BaseURL that names the port of its scheme is the same as one without: browsers leave the port out of their Origin.
func TestServiceWithTheDefaultPort(t *testing.T) {
	for configured, origin := range map[string]string{
		"https://app.example.com:443/magic": "https://app.example.com", "http://localhost:80/magic": "http://localhost",
		"https://app.example.com:8443/magic": "https://app.example.com:8443",
	} {
		service := newService(t, func(c *httpadapter.ServiceConfig) { c.Config.BaseURL = configured })
		metadata := send(service, http.MethodGet, httpadapter.MetadataPath, "", "").Body.String()
		require.Contains(t, metadata, `"token_endpoint": "`+origin+httpadapter.TokenPath+`"`)
		require.Contains(t, metadata, `"issuer": "`+origin+`"`)

		link, err := service.Issuer().Issue(t.Context(), magiclink.MagicLinkCreate{BusinessID: business, Path: "/reports"})
		require.NoError(t, err)
		require.True(t, strings.HasPrefix(link.MagicLink, origin+"/magic/reports?token="), link.MagicLink)
		shown := send(service, http.MethodGet, link.MagicLink, "", "")
		require.Contains(t, shown.Body.String(), `action="`+origin+`/magic"`)
		require.Contains(t, shown.Header().Get("Content-Security-Policy"), "form-action 'self' "+origin+";")

		logout := func(origin string) int {
			return send(service, http.MethodPost, httpadapter.LogoutPath, "", "", "Origin", origin).Code
		}
		require.Equal(t, http.StatusSeeOther, logout(origin))
		require.Equal(t, http.StatusForbidden, logout("https://evil.example"), "the control")
	}
}

func TestServiceNotFound(t *testing.T) {
	app := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusTeapot) })
	s := newService(t, func(c *httpadapter.ServiceConfig) { c.NotFound, c.Health, c.Clients = app, false, nil })
	for path, want := range map[string]int{
		"/": 418, "/x": 418, "/v1/x": 418, "/v0x": 418, "/magical": 418, httpadapter.HealthPath: 418, httpadapter.ReadyPath: 418,
		"/v0/x": 404, "/v0": 404, "/./v0/x": 404, "/.well-known/x": 404,
		httpadapter.TokenPath: 404, httpadapter.IssuePath: 404, httpadapter.MetadataPath: 404, // without Clients
		"/magic/x": 410, httpadapter.SessionPath: 401,
	} {
		require.Equal(t, want, call(s, "GET", path).Code, path)
	}
}

// No answer but the page repeats a token, whatever the path looks like, and no answer lets a browser pass the token on.
func TestServiceRedirectsNoToken(t *testing.T) {
	for _, base := range []string{"/magic", "/a/b", ""} {
		s := newService(t, func(c *httpadapter.ServiceConfig) { c.Config.BaseURL = "https://app.example.com" + base })
		response, err := s.Issuer().Issue(t.Context(), magiclink.MagicLinkCreate{BusinessID: business})
		require.NoError(t, err)
		token := magiclink.TokenOf(response.MagicLink)
		for path, want := range map[string]int{
			base + "?token=": 200, base + "/?token=": 200, base + "/reports?token=": 200, "//" + base + "/reports?token=": 200,
			base + "//x?token=": 200, base + "/x//?token=": 200, base + "/./x?token=": 200, base + "/x/../y?token=": 200,
			base + "/reports%3Ftoken=": 200, base + "/reports%253Ftoken=": 200,
			"/v0/x?token=": 404, "/elsewhere?token=": 404,
		} {
			if base == "" {
				want = 200 // at the root a token is enough
			}
			r := httptest.NewRequest(http.MethodGet, "https://app.example.com/", nil)
			u, err := url.ParseRequestURI(strings.Replace("/"+path, "//", "/", 1) + token)
			if strings.HasPrefix(path, "//") {
				u, err = url.ParseRequestURI("https://app.example.com" + path + token)
			}
			require.NoError(t, err)
			r.URL = u
			w := httptest.NewRecorder()
			s.ServeHTTP(w, r)
			require.Equal(t, want, w.Code, "%s%s", base, path)
			require.Empty(t, w.Header().Get("Location"))
			require.Equal(t, "no-store", w.Header().Get("Cache-Control"))
			require.NotEmpty(t, w.Header().Get("Referrer-Policy"))
			require.Contains(t, w.Header().Get("Content-Security-Policy"), "default-src 'none'")
		}
	}
}

// The server of net/http itself redirects no such path, either.
func TestServiceOnARealConnection(t *testing.T) {
	s := newService(t)
	server := httptest.NewServer(s)
	defer server.Close()
	response, err := s.Issuer().Issue(t.Context(), magiclink.MagicLinkCreate{BusinessID: business})
	require.NoError(t, err)
	for _, path := range []string{"//magic/reports", "/magic//x", "/magic/../magic/x", "/magic"} {
		conn, err := net.Dial("tcp", server.Listener.Addr().String())
		require.NoError(t, err)
		_, err = io.WriteString(conn, "GET "+path+"?token="+magiclink.TokenOf(response.MagicLink)+
			" HTTP/1.1\r\nHost: app.example.com\r\nConnection: close\r\n\r\n")
		require.NoError(t, err)
		answer, err := io.ReadAll(conn)
		require.NoError(t, err)
		require.NoError(t, conn.Close())
		require.Contains(t, string(answer), "HTTP/1.1 200 OK", path)
		require.NotContains(t, string(answer), "Location:")
	}
}

// Where links begin at the root, what reads as no link of ours belongs to the application: its addresses, its forms with
// their bodies, and all methods.
func TestServiceAtTheRoot(t *testing.T) {
	app := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		require.NoError(t, err)
		w.WriteHeader(http.StatusTeapot)
		_, _ = w.Write(body)
	})
	s := newService(t, func(c *httpadapter.ServiceConfig) { c.Config.BaseURL, c.NotFound = "https://app.example.com", app })
	response, err := s.Issuer().Issue(t.Context(), magiclink.MagicLinkCreate{BusinessID: business, Path: "/session"})
	require.NoError(t, err)
	require.Equal(t, http.StatusOK, call(s, "GET", response.MagicLink).Code)
	require.Contains(t, call(s, "GET", response.MagicLink).Body.String(), "<form", "also where the path is that of a route")
	for _, path := range []string{"/", "/reset-password?token=abc", "/invite?token=a.b.c", "/?token=", "/?magiclink"} {
		require.Equal(t, http.StatusTeapot, call(s, "GET", path).Code, path)
	}
	w := send(s, "POST", "/", typeForm, "token=abc&x=1")
	require.Equal(t, http.StatusTeapot, w.Code)
	require.Equal(t, "token=abc&x=1", w.Body.String())
	require.Equal(t, http.StatusMethodNotAllowed, call(s, "GET", httpadapter.TokenPath).Code)
	require.Equal(t, http.StatusUnauthorized, call(s, "GET", httpadapter.SessionPath).Code)
}

// The routes and the application use the same values.
func TestServiceParts(t *testing.T) {
	s := newService(t)
	require.NotNil(t, s.IssueHandler())
	require.NotNil(t, s.TokenHandler())
	response, err := s.Issuer().Issue(t.Context(), magiclink.MagicLinkCreate{BusinessID: business, Email: "jane@example.com"})
	require.NoError(t, err)
	redeemed, err := s.Redeemer().Redeem(t.Context(), magiclink.TokenOf(response.MagicLink))
	require.NoError(t, err)
	token, _, err := s.Sessions().Grant(t.Context(), redeemed)
	require.NoError(t, err)
	for _, handler := range []http.Handler{s, s.SessionHandler()} {
		require.Equal(t, http.StatusOK, call(handler, "GET", "/session", "Cookie", cookieOf(token)).Code)
	}
	require.Equal(t, http.StatusGone, call(s.Page(), "GET", response.MagicLink).Code)
	require.Equal(t, http.StatusGone, send(s.RedeemHandler(), "POST", "/", typeJSON, `{"token":"`+response.MagicLink+`"}`).Code)
	require.Equal(t, http.StatusSeeOther, call(s.LogoutHandler(), "POST", "/", "Cookie", cookieOf(token)).Code)
	require.Equal(t, http.StatusUnauthorized, call(s, "GET", "/session", "Cookie", cookieOf(token)).Code)

	without := newService(t, func(c *httpadapter.ServiceConfig) { c.Clients = nil })
	require.Nil(t, without.IssueHandler())
	require.Nil(t, without.TokenHandler())
}

func TestNewServiceReportsEveryFaultAtOnce(t *testing.T) {
	var none directory
	for name, row := range map[string]struct {
		change func(*httpadapter.ServiceConfig)
		want   []string
	}{
		"nothing": {func(c *httpadapter.ServiceConfig) { *c = httpadapter.ServiceConfig{} }, []string{"Config.BaseURL", "Config.Keys", "Config.Store"}},
		"parts": {func(c *httpadapter.ServiceConfig) {
			c.NewLinkURL, c.AllowedOrigins, c.AfterLogout, c.MaxTokenLifetime = "javascript:x", []string{"*"}, "//x", -1
			c.Resources, c.Page.Logo, c.Timeout = []string{"x"}, "javascript:x", -1
		}, []string{"NewLinkURL", "Page.Logo", "Timeout", "AllowedOrigins", "AfterLogout", "MaxTokenLifetime", "Resources"}},
		"the API, without clients": {func(c *httpadapter.ServiceConfig) {
			c.Clients, c.MaxTokenLifetime, c.Resources = nil, time.Millisecond, []string{"https://a.example", "/relative"}
		}, []string{"MaxTokenLifetime", "Resources"}},
		"the API, beside a faulty core": {func(c *httpadapter.ServiceConfig) {
			c.Clients, c.Config.Store, c.MaxTokenLifetime, c.Resources = nil, nil, -1, []string{"x"}
		}, []string{"Config.Store", "MaxTokenLifetime", "Resources"}},
		"fields of the page": {func(c *httpadapter.ServiceConfig) {
			c.Page = httpadapter.PageConfig{
				Redeemer: new(magiclink.Redeemer), Sessions: new(magiclink.Sessions), App: "x", NewLinkURL: "/x",
				Timeout: time.Second, Now: time.Now, Logger: c.Config.Logger,
			}
		}, []string{"Page.Redeemer", "Page.Sessions", "Page.App", "Page.NewLinkURL", "Page.Timeout", "Page.Now", "Page.Logger"}},
		"typed nil":       {func(c *httpadapter.ServiceConfig) { c.Clients = none; c.NotFound = http.HandlerFunc(nil) }, []string{"Clients", "NotFound"}},
		"public sessions": {func(c *httpadapter.ServiceConfig) { c.Config.SessionKeys = public(t) }, []string{"Config.SessionKeys"}},
		"an audience with a fragment": {
			func(c *httpadapter.ServiceConfig) { c.Config.Audience = "https://a.example#x" }, []string{"Config.Audience"},
		},
		"base in the API": {func(c *httpadapter.ServiceConfig) { c.Config.BaseURL = "https://app.example.com/v0/auth" }, []string{"Config.BaseURL"}},
		"base at a route": {func(c *httpadapter.ServiceConfig) { c.Config.BaseURL = "https://app.example.com/session" }, []string{"Config.BaseURL"}},
	} {
		t.Run(name, func(t *testing.T) {
			service, err := httpadapter.NewService(serviceConfig(t, row.change))
			require.Nil(t, service)
			require.ElementsMatch(t, row.want, faultyFields(t, err))
		})
	}
}

func public(tb testing.TB) *magiclink.Keyring {
	tb.Helper()
	keys, err := seededKeyring(tb).Public()
	require.NoError(tb, err)
	return keys
}

func TestServiceMetadata(t *testing.T) {
	for _, row := range []struct {
		change func(*httpadapter.ServiceConfig)
		issuer string
	}{
		{nil, "https://app.example.com"},
		{func(c *httpadapter.ServiceConfig) { c.Config.Issuer = "https://id.example.com" }, "https://id.example.com"},
	} {
		var changes []func(*httpadapter.ServiceConfig)
		if row.change != nil {
			changes = append(changes, row.change)
		}
		s := newService(t, changes...)
		w := call(s, "GET", httpadapter.MetadataPath)
		require.Equal(t, "*", w.Header().Get("Access-Control-Allow-Origin"))
		require.JSONEq(t, `{
			"issuer": "`+row.issuer+`",
			"token_endpoint": "https://app.example.com/v0/auth/token",
			"jwks_uri": "https://app.example.com/.well-known/jwks.json",
			"scopes_supported": ["auth:create", "auth:read", "auth:revoke"],
			"response_types_supported": [],
			"grant_types_supported": ["client_credentials"],
			"token_endpoint_auth_methods_supported": ["client_secret_basic", "client_secret_post"]
		}`, w.Body.String())

		var token struct {
			AccessToken string `json:"access_token"`
		}
		require.NoError(t, json.Unmarshal(send(s, "POST", httpadapter.TokenPath, typeForm, goodForm).Body.Bytes(), &token))
		access, err := seededKeyring(t).VerifyAccessToken(token.AccessToken, magiclink.AccessTokenCheck{
			Issuer: row.issuer, Audience: "https://app.example.com", Now: noon,
		})
		require.NoError(t, err, "tokens have the issuer that the metadata names")
		require.Equal(t, "crm", access.ClientID)
	}
}

func TestNewMetadataHandler(t *testing.T) {
	_, err := httpadapter.NewMetadataHandler(httpadapter.MetadataConfig{TokenEndpoint: "/v0", JWKSURI: "x#", Scopes: []string{"a b"}})
	require.Equal(t, []string{"Issuer", "TokenEndpoint", "JWKSURI", "Scopes"}, faultyFields(t, err))
}

// pinged is a store that can say whether it answers.
type pinged struct {
	magiclink.Store
	err error
}

func (p *pinged) Ping(context.Context) error { return p.err }

// wrapped hides the store inside.
type wrapped struct{ magiclink.Store }

func (w wrapped) Unwrap() magiclink.Store { return w.Store }

// A service whose keys can sign no more issues nothing.
func TestReadinessOfTheKeys(t *testing.T) {
	keys, err := magiclink.GenerateKeyring(magiclink.EdDSA)
	require.NoError(t, err)
	logger, _ := logTo()
	s := newService(t, func(c *httpadapter.ServiceConfig) { c.Config.Keys, c.Logger = keys, logger })
	require.Equal(t, http.StatusOK, call(s, "GET", httpadapter.ReadyPath).Code)
	jwks, err := keys.PublicJWKS()
	require.NoError(t, err)
	path := filepath.Join(t.TempDir(), "keys.json")
	require.NoError(t, os.WriteFile(path, jwks, 0o600))
	require.NoError(t, keys.Reload(path))
	requireEnvelope(t, http.StatusServiceUnavailable, call(s, "GET", httpadapter.ReadyPath))
}

func TestReadiness(t *testing.T) {
	down := errors.New("the-cause")
	store := &tapStore{Store: memory.New()}
	ping := &pinged{Store: memory.New()}
	keys, err := magiclink.GenerateKeyring(magiclink.EdDSA)
	require.NoError(t, err)
	var ready error
	for name, row := range map[string]struct {
		store       magiclink.Store
		fail, again func()
	}{
		"the store": {store, func() { store.set(func(context.Context) error { return down }, nil) }, func() { store.set(nil, nil) }},
		"the ping":  {wrapped{ping}, func() { ping.err = down }, func() { ping.err = nil }},
		"a panic":   {store, func() { store.set(func(context.Context) error { panic(down) }, nil) }, func() { store.set(nil, nil) }},
		"more":      {store, func() { ready = down }, func() { ready = nil }},
	} {
		t.Run(name, func(t *testing.T) {
			logger, log := logTo()
			s := newService(t, func(c *httpadapter.ServiceConfig) {
				c.Config.Store, c.Config.Keys, c.Logger = row.store, keys, logger
				c.Ready = func(context.Context) error { return ready }
			})
			require.JSONEq(t, `{"data":{"status":"ok"}}`, call(s, "GET", httpadapter.ReadyPath).Body.String())
			row.fail()
			w := call(s, "GET", httpadapter.ReadyPath)
			requireEnvelope(t, http.StatusServiceUnavailable, w)
			require.Equal(t, "2", w.Header().Get("Retry-After"))
			require.NotContains(t, w.Body.String(), "the-cause")
			require.NotEmpty(t, log.String())
			require.Equal(t, http.StatusOK, call(s, "GET", httpadapter.HealthPath).Code, "the process is alive")
			row.again()
			require.Equal(t, http.StatusOK, call(s, "GET", httpadapter.ReadyPath).Code)
			requireEnvelope(t, http.StatusMethodNotAllowed, call(s, "POST", httpadapter.ReadyPath))
		})
	}
}

// A service remembers by itself why its page and its route have refused a link.
func TestServiceRemembersRefusals(t *testing.T) {
	service := newService(t)
	for _, redeem := range []func(link string) int{
		func(link string) int { return call(service, http.MethodGet, link).Code },
		func(link string) int {
			return send(service, http.MethodPost, httpadapter.RedeemPath, typeJSON, `{"token":"`+link+`"}`).Code
		},
	} {
		issued, err := service.Issuer().Issue(t.Context(), create)
		require.NoError(t, err)
		require.NoError(t, service.Issuer().Revoke(t.Context(), create.Caller.TenantID, issued.MagicLinkID))
		require.Equal(t, http.StatusGone, redeem(issued.MagicLink))
		link, err := service.Issuer().Get(t.Context(), create.Caller, issued.MagicLinkID)
		require.NoError(t, err)
		require.Equal(t, magiclink.ReasonRevoked, link.LastRefusal.Reason)
	}
}
