package e2e_test

import (
	"context"
	"fmt"
	"io"
	"log"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/magiclink-go/magiclink"
	"github.com/magiclink-go/magiclink/httpadapter"
	"github.com/magiclink-go/magiclink/signin"
	"github.com/magiclink-go/magiclink/store/sqlite"
)

const (
	noticeWaiting = "Check your mail"        // the heading of the waiting page
	noticeWrong   = "This code is not right" // on each page with a field for the code
	headingOther  = "You asked for this in another browser"
	headingDead   = "This link no longer works"
)

// application is a program that uses the packages signin and mail. Everybody at example.com may sign in.
type application struct {
	*httpadapter.Service
	t      *testing.T
	origin string
	flow   *signin.Flow
	clock  *clock
	server *mailServer
	data   string // the directory of its database
}

// clock is right until it is moved.
type clock struct {
	mu    sync.Mutex
	ahead time.Duration
}

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return time.Now().Add(c.ahead)
}

func (c *clock) move(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.ahead += d
}

// newApplication serves over plain HTTP, on a loopback address.
func newApplication(t *testing.T, server *mailServer, change ...func(*signin.Config)) *application {
	t.Helper()
	site := httptest.NewUnstartedServer(nil)
	a := serveAs(t, "http://"+site.Listener.Addr().String(), server, change...)
	site.Config.Handler = a
	site.Start()
	t.Cleanup(site.Close)
	return a
}

// newTLSApplication serves over HTTPS.
func newTLSApplication(t *testing.T, server *mailServer, change ...func(*signin.Config)) *application {
	t.Helper()
	site := httptest.NewUnstartedServer(nil)
	a := serveAs(t, "https://"+strings.Replace(site.Listener.Addr().String(), "127.0.0.1", "localhost", 1), server, change...)
	site.Config.Handler = a
	site.Config.ErrorLog = log.New(io.Discard, "", 0) // browsers break off once, at a certificate that nobody has signed
	site.StartTLS()
	t.Cleanup(site.Close)
	return a
}

// serveAs makes an application whose links lead to an origin.
func serveAs(t *testing.T, origin string, server *mailServer, change ...func(*signin.Config)) *application {
	t.Helper()
	a := &application{t: t, origin: origin, server: server, clock: new(clock), data: t.TempDir()}
	store, err := sqlite.Open(filepath.Join(a.data, "magiclink.db"))
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, store.Close()) })
	keys, err := magiclink.GenerateKeyring(magiclink.EdDSA)
	require.NoError(t, err)
	config := signin.Config{
		Config: magiclink.Config{
			BaseURL: origin + "/magic", Keys: keys, Store: store, Now: a.clock.Now, Businesses: magiclink.AnyBusiness,
			Logger: slog.New(slog.NewTextHandler(t.Output(), &slog.HandlerOptions{Level: slog.LevelWarn})),
		},
		Mailer: server.mailer(t), Resolve: resolve, App: "Example Reports",
		Page: httpadapter.PageConfig{Admit: admit},
	}
	for _, c := range change {
		c(&config)
	}
	a.flow, err = signin.New(config)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, a.flow.Close(context.Background())) })
	sessions, err := magiclink.NewSessions(config.Config)
	require.NoError(t, err)
	a.Service, err = httpadapter.NewService(httpadapter.ServiceConfig{
		Config: config.Config, SignIn: a.flow, NotFound: pages(sessions), SessionsPath: httpadapter.SessionsPath,
	})
	require.NoError(t, err)
	return a
}

func resolve(_ context.Context, address string) (magiclink.MagicLinkCreate, error) {
	if !strings.HasSuffix(address, "@example.com") {
		return magiclink.MagicLinkCreate{}, signin.ErrUnknownAddress
	}
	return magiclink.MagicLinkCreate{ExternalBusinessID: "reports", Email: address}, nil
}

// admit keeps people out whose address begins with "refused".
func admit(_ *http.Request, redemption magiclink.Redemption) error {
	if strings.HasPrefix(redemption.Email, "refused") {
		return httpadapter.ErrRefused
	}
	return nil
}

// pages are those of the application: one that anybody may see, and reports, which send people to the request page.
func pages(sessions *magiclink.Sessions) http.Handler {
	show := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		says := notSignedIn
		if session, ok := httpadapter.SessionFromRequest(r); ok {
			says = "You are signed in as " + session.Email
		}
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		w.Header().Set("Cache-Control", "no-store")
		_, _ = fmt.Fprintf(w, `<!DOCTYPE html><html lang="en"><title>Example Reports</title><main><h1>%s</h1></main>`, says)
	})
	mux := http.NewServeMux()
	mux.Handle("/", httpadapter.RequireSession(sessions, httpadapter.RequireOptions{Optional: true})(show))
	mux.Handle("/reports", httpadapter.RequireSession(sessions, httpadapter.RequireOptions{SignIn: signin.RequestPath})(show))
	return mux
}

// in is a configuration of a mode.
func in(mode signin.Mode) func(*signin.Config) { return func(c *signin.Config) { c.Mode = mode } }

// sessions counts those of an address.
func (a *application) sessions(address string) int {
	a.t.Helper()
	list, err := a.Sessions().List(a.t.Context(), magiclink.Subject{Email: address})
	require.NoError(a.t, err)
	return len(list)
}

// verdict is what stands against using a link, or nil.
func (a *application) verdict(link string) error {
	_, err := a.Redeemer().Inspect(a.t.Context(), magiclink.TokenOf(link))
	return err
}

// breakStore takes the table of the links away, so that the store fails.
func (a *application) breakStore() {
	a.t.Helper()
	_, err := database(a.t, a.data).ExecContext(a.t.Context(), "ALTER TABLE magiclink_links RENAME TO elsewhere")
	require.NoError(a.t, err)
}
