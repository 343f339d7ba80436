package guide

import (
	"context"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/magiclink-go/magiclink"
	"github.com/magiclink-go/magiclink/httpadapter"
	"github.com/magiclink-go/magiclink/magiclinktest"
	"github.com/magiclink-go/magiclink/mail"
	"github.com/magiclink-go/magiclink/signin"
)

// The configuration with everything that the guide changes is valid and does what the guide says.
func TestConfigured(t *testing.T) {
	keys, err := magiclink.GenerateKeyring(magiclink.EdDSA)
	require.NoError(t, err)
	inbox := magiclinktest.NewInbox()
	config := magiclink.Config{BaseURL: "https://app.acme.example/magic", Keys: keys, Store: magiclinktest.NewStore()}
	flow, err := signin.New(configured(config, inbox))
	require.NoError(t, err)
	service, err := httpadapter.NewService(httpadapter.ServiceConfig{Config: config, SignIn: flow})
	require.NoError(t, err)

	const trap, suspended = "pre-hijacked@example.com", "suspended@example.com"
	accounts.put(account{Email: trap, Password: "of somebody who waits for the owner"})
	accounts.put(account{Email: suspended, Suspended: true, Verified: true})
	person := magiclinktest.NewBrowser(t, magiclinktest.Handler(service))
	page := person.SignIn(inbox, "https://app.acme.example/sign-in", trap)
	require.Equal(t, "/", page.URL.Path)
	found, err := accounts.byEmail(t.Context(), trap)
	require.NoError(t, err)
	require.Equal(t, account{Email: trap, Verified: true}, found)

	person = magiclinktest.NewBrowser(t, magiclinktest.Handler(service))
	require.True(t, person.Open("https://app.acme.example/sign-in").Has(`lang="de"`))
	person.Open("https://app.acme.example/sign-in").Submit("email", suspended)
	require.Equal(t, http.StatusForbidden, person.Open(inbox.Wait(t, suspended).Link).Submit().Status)

	require.NoError(t, invite(t.Context(), flow, "joe@example.com"))
	invitation := inbox.Wait(t, "joe@example.com")
	require.Equal(t, "Jane Doe", invitation.InvitedBy)
	page = magiclinktest.NewPhone(t, magiclinktest.Handler(service)).Open(invitation.Link).Submit()
	require.Equal(t, "/welcome", page.URL.Path)
	_, err = accounts.byEmail(t.Context(), "joe@example.com")
	require.NoError(t, err)
}

func TestBehindProxy(t *testing.T) {
	for _, row := range []struct{ connection, header, want string }{
		{"127.0.0.1:4000", "192.0.2.7", "192.0.2.7"},
		{"203.0.113.9:4000", "192.0.2.7", "203.0.113.9"},
		{"127.0.0.1:4000", "", "invalid IP"},
	} {
		r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/", nil)
		r.RemoteAddr = row.connection
		r.Header.Set("X-Real-IP", row.header)
		require.Equal(t, row.want, behindProxy(r).String())
	}
}

// fakeAPI answers with a status.
type fakeAPI struct {
	status  int
	subject string
}

func (f *fakeAPI) send(_ context.Context, _, subject, _, _ string) (int, error) {
	f.subject = subject
	return f.status, nil
}

var now = time.Date(2030, 1, 15, 9, 30, 0, 0, time.UTC)

func newProvider(t *testing.T, api api) provider {
	t.Helper()
	templates, err := mail.LoadTemplates(nil)
	require.NoError(t, err)
	return provider{templates, api}
}

func TestProvider(t *testing.T) {
	message := signin.Message{
		Kind: signin.KindSignIn, To: "jane@example.com", App: "Acme", Link: "https://app.acme.example/magic?token=a.b.c", Code: "ABCD-2345",
		ExpiresAt: now, AskedAt: now, Language: "en",
	}
	taken := &fakeAPI{status: http.StatusOK}
	require.NoError(t, newProvider(t, taken).Send(t.Context(), message))
	require.Equal(t, "Sign in to Acme", taken.subject)
	require.ErrorIs(t, newProvider(t, &fakeAPI{status: http.StatusUnprocessableEntity}).Send(t.Context(), message), signin.ErrPermanent)
}

// The first start makes the keys, and a fault of the mail server's settings says what to do.
func TestRun(t *testing.T) {
	t.Chdir(t.TempDir())
	t.Setenv("SMTP_PASSWORD", "")
	require.ErrorContains(t, run(t.Context()), "Password is missing, since URL names a user")
	_, err := magiclink.LoadKeyring("keys.json")
	require.NoError(t, err)
}
