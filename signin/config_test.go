package signin_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/magiclink-go/magiclink"
	"github.com/magiclink-go/magiclink/httpadapter"
	"github.com/magiclink-go/magiclink/internal/language"
	"github.com/magiclink-go/magiclink/signin"
	"github.com/magiclink-go/magiclink/store/memory"
)

func newRecorder() *httptest.ResponseRecorder { return httptest.NewRecorder() }

// plainStore is a store without the optional interfaces.
type plainStore struct{ inner magiclink.Store }

func (s plainStore) Create(ctx context.Context, r magiclink.Record) error {
	return s.inner.Create(ctx, r)
}

func (s plainStore) Get(ctx context.Context, id string) (magiclink.Record, error) {
	return s.inner.Get(ctx, id)
}

func (s plainStore) Consume(ctx context.Context, id string, at time.Time, by string) (magiclink.Record, error) {
	return s.inner.Consume(ctx, id, at, by)
}

func (s plainStore) Revoke(ctx context.Context, id string, at time.Time) error {
	return s.inner.Revoke(ctx, id, at)
}

func (s plainStore) Purge(ctx context.Context, before time.Time, limit int) (int, error) {
	return s.inner.Purge(ctx, before, limit)
}

func TestNewReportsEveryFaultAtOnce(t *testing.T) {
	_, err := signin.New(signin.Config{})
	require.Equal(t, []string{"Mailer", "Resolve", "Config.BaseURL", "Config.Keys", "Config.Store"}, faultyFields(t, err))
	_, err = signin.New(signin.Config{
		Config: magiclink.Config{Store: plainStore{memory.New()}, MaxTTL: 5 * time.Minute},
		Mailer: (*inbox)(nil), Mode: "strict", TTL: 6 * time.Minute, Queue: -1, Timeout: -1, MailTimeout: -1, Retries: []time.Duration{-1},
		Limits: signin.Limits{
			ResendPauses: []time.Duration{time.Second}, PerAddress: magiclink.Rate{Burst: -1}, PerClient: magiclink.Rate{Burst: 1},
			PerTenant: magiclink.Rate{Every: 1}, CodesPerClient: magiclink.Rate{Burst: 1 << 30, Every: time.Hour},
		},
		Page: httpadapter.PageConfig{App: "x", Timeout: 1, Now: time.Now},
	})
	require.Equal(t, []string{
		"Mailer", "Resolve", "Mode", "TTL", "Timeout", "MailTimeout", "Retries", "Queue", "Limits.ResendPauses", "Limits.PerAddress", "Limits.PerClient",
		"Limits.PerTenant", "Limits.CodesPerClient", "Page.App", "Page.Timeout", "Page.Now", "Config.Store", "Config.BaseURL", "Config.Keys",
	}, faultyFields(t, err))
}

func TestFaultsOfThePage(t *testing.T) {
	s := newSite(t)
	config := s.config
	config.Page.Logo, config.Page.Language = "javascript:", "nl"
	_, err := signin.New(config)
	require.ElementsMatch(t, []string{"Page.Logo", "Page.Language"}, faultyFields(t, err))
}

// A service has one page: that of the flow.
func TestServiceWithAFlow(t *testing.T) {
	s := newSite(t)
	_, err := httpadapter.NewService(httpadapter.ServiceConfig{
		Config: s.config.Config, SignIn: s.flow, App: "x", NewLinkURL: "/x", Page: httpadapter.PageConfig{Logo: "/x.png"},
	})
	require.Equal(t, []string{"App", "NewLinkURL", "Page"}, faultyFields(t, err))
	other := s.config.Config
	other.BaseURL = "https://other.example/magic"
	_, err = httpadapter.NewService(httpadapter.ServiceConfig{Config: other, SignIn: s.flow})
	require.Equal(t, []string{"SignIn"}, faultyFields(t, err))
	for _, flow := range []*signin.Flow{nil, new(signin.Flow)} {
		_, err = httpadapter.NewService(httpadapter.ServiceConfig{Config: s.config.Config, SignIn: flow})
		require.Equal(t, []string{"SignIn"}, faultyFields(t, err))
	}
	require.Contains(t, s.browser().get("/magic?token=x").body, `href="/sign-in"`, "a dead link leads to the request page")
}

// A page that answers the paths of the flow keeps everybody from the flow.
func TestBaseURLInTheWayOfTheFlow(t *testing.T) {
	config := newSite(t).config
	for base, faulty := range map[string]bool{"/sign-in": true, "/sign-in/check": true, "/v0": true, "/sign": false, "/sign-in-here": false, "": false} {
		config.Config.BaseURL = origin + base
		flow, err := signin.New(config)
		if !faulty {
			require.NoError(t, err, base)
			require.NoError(t, flow.Close(t.Context()))
			continue
		}
		require.Equal(t, []string{"Config.BaseURL"}, faultyFields(t, err), base)
		require.ErrorContains(t, err, "takes the place of /")
	}
}

// An application below a prefix has a service at the root, and people come back to where they were.
func TestApplicationBelowAPrefix(t *testing.T) {
	s := newSite(t)
	pages := http.NewServeMux()
	signedIn := httpadapter.RequireSession(s.Sessions(), httpadapter.RequireOptions{SignIn: signin.RequestPath})
	pages.Handle("/app/", http.StripPrefix("/app", signedIn(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = w.Write([]byte("at " + r.URL.Path))
	}))))
	var err error
	s.Service, err = httpadapter.NewService(httpadapter.ServiceConfig{Config: s.config.Config, SignIn: s.flow, NotFound: pages})
	require.NoError(t, err)
	b := s.browser()
	require.Equal(t, "/sign-in?next=%2Fapp%2Freports", b.get("/app/reports").header.Get("Location"))
	b.ask(jane, "/app/reports")
	requireIn(t, b, b.click(s.last().Link, ""), "/app/reports")
	require.Equal(t, "at /reports", b.get("/app/reports").body)
}

// The zero value lets nobody in and does not panic.
func TestZeroFlow(t *testing.T) {
	s := newSite(t)
	mail := s.browser().waiting(jane)
	for _, flow := range []*signin.Flow{nil, new(signin.Flow)} {
		for _, path := range flow.Paths() {
			w := newRecorder()
			flow.ServeHTTP(w, httptest.NewRequest(http.MethodGet, path, nil))
			require.Equal(t, http.StatusServiceUnavailable, w.Code)
		}
		require.Nil(t, flow.Page())
		require.Empty(t, flow.Flow(httptest.NewRequest(http.MethodGet, "/", nil)))
		require.NoError(t, flow.Close(t.Context()))
		require.NoError(t, flow.Wait(t.Context()))
		_, err := flow.Invite(t.Context(), magiclink.MagicLinkCreate{}, signin.Invitation{})
		require.ErrorContains(t, err, "use New")
		state, err := flow.Check(t.Context(), s.record(mail.Link), httpadapter.Proof{})
		require.Error(t, err)
		require.NotEqual(t, httpadapter.BindingHolds, state)
		flow.Forget(newRecorder(), httptest.NewRequest(http.MethodGet, "/", nil), mail.Link)
	}
}

// Other paths are none of the flow's.
func TestOtherPaths(t *testing.T) {
	s := newSite(t)
	for _, path := range []string{"/", "/sign-in/", "/sign-in/other", "/v0/auth/sign-in/", "/x"} {
		w := newRecorder()
		s.flow.ServeHTTP(w, httptest.NewRequest(http.MethodGet, path, nil))
		require.Equal(t, http.StatusNotFound, w.Code, path)
	}
}

// Over plain http, which is for loopback hosts, cookies have no prefix: WebKit keeps none of the others there.
func TestPlainCookies(t *testing.T) {
	s := newSite(t)
	config := s.config
	config.Config.BaseURL = "http://127.0.0.1:8080/magic"
	flow, err := signin.New(config)
	require.NoError(t, err)
	w := newRecorder()
	flow.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/sign-in", nil))
	cookie := w.Result().Cookies()[0]
	require.Equal(t, "magiclink_form", cookie.Name)
	form := regexp.MustCompile(`name="form" value="([^"]*)"`).FindStringSubmatch(w.Body.String())[1]
	r := httptest.NewRequest(http.MethodPost, "/sign-in", strings.NewReader("email=jane%40example.com&form="+form))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.AddCookie(cookie)
	w = newRecorder()
	flow.ServeHTTP(w, r)
	require.Equal(t, http.StatusSeeOther, w.Code)
	cookie = w.Result().Cookies()[0]
	require.Equal(t, "magiclink_signin", cookie.Name)
	require.False(t, cookie.Secure)
	require.True(t, cookie.HttpOnly)
	require.Equal(t, 20*60, cookie.MaxAge)
	require.NoError(t, flow.Wait(t.Context()))
}

// Each page exists in each language, with the same names of texts, and no text names what a page does not have.
func TestLanguages(t *testing.T) {
	english, err := signin.Words.Names("en")
	require.NoError(t, err)
	page, err := os.ReadFile("page.html")
	require.NoError(t, err)
	for _, name := range regexp.MustCompile(`\.Text "([^"]*)"`).FindAllStringSubmatch(string(page), -1) {
		require.Contains(t, english, name[1])
	}
	for _, tag := range language.All {
		names, err := signin.Words.Names(tag)
		require.NoError(t, err)
		require.Equal(t, english, names, tag)
		s := newSite(t, func(c *signin.Config) {
			c.Page.Admit = func(*http.Request, magiclink.Redemption) error { return httpadapter.ErrRefused }
		})
		b := s.browser("Accept-Language", tag)
		request := b.get("/sign-in")
		mail := b.waiting(jane)
		require.Equal(t, tag, mail.Language)
		pages := []answer{request, b.get("/sign-in/check"), b.post("/sign-in", nil), b.typed("2222-2222"), b.typed(mail.Code), b.post("/sign-in/check", nil, "Origin", "https://x.example")}
		s.clock.move(time.Hour)
		pages = append(pages, b.get("/sign-in/check"), s.browser("Accept-Language", tag).get(mail.Link))
		for _, got := range pages {
			requireSecure(t, got)
			require.Contains(t, got.body, `<html lang="`+tag+`" dir="`+language.Direction(tag)+`">`)
			require.Contains(t, got.header.Values("Vary"), "Accept-Language")
			require.NotContains(t, got.body, "{{")
		}
		require.True(t, slices.IndexFunc(pages[:4], func(a answer) bool { return strings.Contains(a.body, "cannot be shown") }) < 0)
	}
}
