package e2e_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/magiclink-go/magiclink"
	"github.com/magiclink-go/magiclink/e2e/internal/browser"
	"github.com/magiclink-go/magiclink/httpadapter"
	"github.com/magiclink-go/magiclink/store/memory"
)

// reports is an application that shows people their own sessions.
type reports struct {
	t *testing.T
	*httpadapter.Service
	origin   string
	overload atomic.Bool // there are too many clicks
}

func newReports(t *testing.T, change ...func(*httpadapter.ServiceConfig)) *reports {
	t.Helper()
	keys, err := magiclink.GenerateKeyring(magiclink.EdDSA)
	require.NoError(t, err)
	mux := http.NewServeMux()
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	for path, text := range map[string]string{"/sign-in": "Where do we send the link?", "/bye": "Goodbye"} {
		mux.HandleFunc(path, func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte(text)) })
	}
	r := &reports{t: t, origin: server.URL}
	config := httpadapter.ServiceConfig{
		Config: magiclink.Config{BaseURL: server.URL + "/magic", Keys: keys, Store: memory.New()},
		App:    "Example Reports", NewLinkURL: "/sign-in", AfterLogout: "/bye", SessionsPath: httpadapter.SessionsPath,
	}
	for _, c := range change {
		c(&config)
	}
	r.Service, err = httpadapter.NewService(config)
	require.NoError(t, err)
	mux.Handle("/", r.overloaded(r.Service))
	return r
}

func (r *reports) link() string { r.t.Helper(); return r.linkTo("jane@example.com") }

func (r *reports) linkTo(address string) string {
	r.t.Helper()
	issued, err := r.Issuer().Issue(r.t.Context(), magiclink.MagicLinkCreate{
		ExternalBusinessID: "app", Email: address, Path: httpadapter.SessionsPath,
	})
	require.NoError(r.t, err)
	return issued.MagicLink
}

// on is a session of the same person on another device, with its token.
func (r *reports) on(device string) (magiclink.Session, string) {
	r.t.Helper()
	redeemed, err := r.Redeemer().Redeem(magiclink.WithDevice(r.t.Context(), device), magiclink.TokenOf(r.link()))
	require.NoError(r.t, err)
	token, session, err := r.Sessions().Grant(r.t.Context(), redeemed)
	require.NoError(r.t, err)
	return session, token
}

func (r *reports) requireEnded(token string) {
	r.t.Helper()
	_, err := r.Sessions().Verify(r.t.Context(), token)
	require.ErrorIs(r.t, err, magiclink.ErrInvalidToken)
}

// names are what the engines call themselves on the machine of the tests.
var names = map[browser.Engine]string{browser.Chromium: "Chrome", browser.Firefox: "Firefox", browser.WebKit: "Safari"}

// TestSessionsPage shows the device of each session, signs a phone out, and then everything.
func TestSessionsPage(t *testing.T) {
	inEach(t, func(t *testing.T, b *browser.Browser) {
		r := newReports(t)
		phone, phoneToken := r.on("Safari on iPhone")
		tablet, tabletToken := r.on("")
		b.Visit(r.link())
		b.Click("button")
		b.Arrive(r.origin + "/sessions")
		b.Shows("Where you are signed in")
		require.Contains(t, b.Text(), names[b.Engine]+" on Linux · This browser Signed in")
		require.Equal(t, 1, strings.Count(b.Text(), "This browser"))
		require.Equal(t, 1, strings.Count(b.Text(), "Safari on iPhone Signed in"))
		require.Equal(t, 1, strings.Count(b.Text(), "Unknown device Signed in"))

		b.Click(`button[value="` + phone.ID + `"]`)
		b.Wait("the phone to be gone", func() bool { return !strings.Contains(b.Text(), "iPhone") })
		b.Shows("Unknown device")
		require.Equal(t, r.origin+"/sessions", b.URL())
		r.requireEnded(phoneToken)
		_, err := r.Sessions().Verify(t.Context(), tabletToken)
		require.NoError(t, err)
		require.Contains(t, b.Source(), tablet.ID)

		unused := r.link()
		b.Click("button[value=everywhere]")
		b.Arrive(r.origin + "/bye")
		b.Shows("Goodbye")
		r.requireEnded(tabletToken)
		_, err = r.Redeemer().Inspect(t.Context(), magiclink.TokenOf(unused))
		require.ErrorIs(t, err, magiclink.ErrRevoked)
		require.NotContains(t, b.Cookies(), "magiclink_session")
		b.Back()
		b.Wait("a page without a session", func() bool { return !strings.Contains(b.Text(), "Where you are signed in") })
		b.Visit(r.origin + "/sessions")
		b.Arrive(r.origin + "/sign-in?next=%2Fsessions")
	})
}
