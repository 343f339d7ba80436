package magiclinktest_test

import (
	"errors"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/magiclink-go/magiclink"
	"github.com/magiclink-go/magiclink/httpadapter"
	"github.com/magiclink-go/magiclink/magiclinktest"
	"github.com/magiclink-go/magiclink/signin"
)

const origin = "https://app.example.com"

// app is an application that issues its links itself.
type app struct {
	*httpadapter.Service
	store *magiclinktest.Store
	clock *magiclinktest.Clock
}

func newApp(t *testing.T) app {
	t.Helper()
	keys, err := magiclink.GenerateKeyring(magiclink.EdDSA)
	require.NoError(t, err)
	a := app{store: magiclinktest.NewStore(), clock: magiclinktest.NewClock(time.Now())}
	a.Service, err = httpadapter.NewService(httpadapter.ServiceConfig{
		Config:   magiclink.Config{BaseURL: origin + "/magic", Keys: keys, Store: a.store, Now: a.clock.Now},
		NotFound: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("home")) }),
	})
	require.NoError(t, err)
	return a
}

func (a app) link(t *testing.T) string {
	t.Helper()
	response, err := a.Issuer().Issue(t.Context(), magiclink.MagicLinkCreate{
		ExternalBusinessID: "app", Email: "jane@example.com", Path: "/reports",
	})
	require.NoError(t, err)
	return response.MagicLink
}

func TestPersonSignsIn(t *testing.T) {
	a := newApp(t)
	for _, device := range []*magiclinktest.Browser{
		magiclinktest.NewBrowser(t, magiclinktest.Handler(a)), magiclinktest.NewPhone(t, magiclinktest.Handler(a)),
	} {
		require.Equal(t, http.StatusUnauthorized, device.Open(origin+"/session").Status)
		confirm := device.Open(a.link(t))
		require.Equal(t, http.StatusOK, confirm.Status)
		require.True(t, confirm.Has("j•••@example.com"))
		page := confirm.Submit()
		require.Equal(t, "/reports", page.URL.Path)
		require.Equal(t, "home", page.Body)
		require.NotEmpty(t, device.Cookie(origin, httpadapter.SessionCookie))
		require.Equal(t, http.StatusOK, device.Open(origin+"/session").Status)
		require.True(t, device.Open(origin+"/session").Has("jane@example.com"))
	}
}

// A scanner without a bound link gets in, since it presses the button: that is what binding is for.
func TestScannerPressesTheButton(t *testing.T) {
	a := newApp(t)
	scanner := magiclinktest.NewBrowser(t, magiclinktest.Handler(a))
	seen := scanner.Scan(a.link(t))
	require.GreaterOrEqual(t, len(seen), 3)
	require.NotEmpty(t, scanner.Cookie(origin, httpadapter.SessionCookie))
}

func TestClockAndOutage(t *testing.T) {
	a := newApp(t)
	link := a.link(t)
	person := magiclinktest.NewBrowser(t, magiclinktest.Handler(a))
	confirm := person.Open(link)
	a.store.Fail(errors.New("outage"))
	require.Equal(t, http.StatusServiceUnavailable, confirm.Submit().Status)
	a.store.Fail(nil)
	a.clock.Advance(6 * time.Minute)
	require.Equal(t, http.StatusGone, confirm.Submit().Status)
	a.clock.Advance(-6 * time.Minute)
	require.Equal(t, http.StatusOK, confirm.Submit().Status)
}

// The store can do what every store of the project can.
func TestStoreHasTheOptionalInterfaces(t *testing.T) {
	store := magiclinktest.NewStore()
	peeker, ok := magiclink.StoreAs[magiclink.LimitPeeker](store)
	require.True(t, ok)
	rate, at := magiclink.Rate{Burst: 2, Every: time.Minute}, time.Now()
	_, err := store.Take(t.Context(), "key", rate, at)
	require.NoError(t, err)
	arrival, err := peeker.Peek(t.Context(), "key")
	require.NoError(t, err)
	left, _ := rate.Peek(arrival, at)
	require.Equal(t, 1, left)

	outage := errors.New("outage")
	store.Fail(outage)
	_, err = peeker.Peek(t.Context(), "key")
	require.ErrorIs(t, err, outage)
}

func TestInbox(t *testing.T) {
	inbox := magiclinktest.NewInbox()
	send := func(to, link string) error { return inbox.Send(t.Context(), signin.Message{To: to, Link: link}) }
	go func() {
		_ = send("john@example.com", "0")
		_ = send("jane@example.com", "1")
		_ = send("jane@example.com", "2")
	}()
	require.Equal(t, "1", inbox.Wait(t, "jane@example.com").Link)
	require.Equal(t, "2", inbox.Wait(t, "jane@example.com").Link)
	require.Equal(t, "0", inbox.Wait(t, "john@example.com").Link)
	failure := errors.New("down")
	inbox.Fail(failure)
	require.Equal(t, failure, send("jane@example.com", "3"))
	inbox.Fail(nil)
	require.Len(t, inbox.Messages(), 3)
}

func TestFormsAreReadAsBrowsersReadThem(t *testing.T) {
	const page = `<p><a href="/a?x=1&amp;y=2">a</a><a href="https://other.example/">b</a></p>
<form method="POST" action='send?z=1'><input type=hidden name="h" value="1&quot;2"><input name="code"><input type="checkbox" name="off" value="on"><button name="press" value="yes">Go</button></form>
<form><input name="q" value="v"><button>Search</button></form>
<form method="post" action="/end"><button name="end" value="1">End <b>one</b></button><input type="submit" name="end" value="all"><button type="button" name="x">x</button></form>`
	var got *http.Request
	handler := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/dir/form" {
			_, _ = w.Write([]byte(page))
			return
		}
		require.NoError(t, r.ParseForm())
		got = r
	})
	b := magiclinktest.NewBrowser(t, magiclinktest.Handler(handler))
	b.Open(origin+"/dir/form").Submit("code", "ü")
	require.Equal(t, http.MethodPost, got.Method)
	require.Equal(t, "/dir/send?z=1", got.URL.RequestURI())
	require.Equal(t, map[string][]string{"h": {`1"2`}, "code": {"ü"}, "press": {"yes"}}, map[string][]string(got.PostForm))
	require.Equal(t, origin, got.Header.Get("Origin"))
	require.Equal(t, "same-origin", got.Header.Get("Sec-Fetch-Site"))
	b.Open(origin+"/dir/form").SubmitTo("/dir/send", "code", "x")
	require.Equal(t, "x", got.PostForm.Get("code"))
	for label, want := range map[string]string{"End one": "1", "all": "all"} {
		b.Open(origin + "/dir/form").Press(label)
		require.Equal(t, map[string][]string{"end": {want}}, map[string][]string(got.PostForm), label)
	}
	var paths []string
	for _, seen := range b.Scan(origin + "/dir/form") {
		paths = append(paths, seen.URL.RequestURI())
	}
	require.Equal(t, []string{"/dir/form", "/dir/form", "/a?x=1&y=2", "/dir/send?z=1", "/dir/form?q=v", "/end", "/end"}, paths)
}
