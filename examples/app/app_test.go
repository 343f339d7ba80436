package main

import (
	"bytes"
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/magiclink-go/magiclink"
	"github.com/magiclink-go/magiclink/internal/dbtest"
	"github.com/magiclink-go/magiclink/magiclinktest"
)

func TestMain(m *testing.M) { os.Exit(dbtest.Main(m)) }

const host = "https://app.example.com"

// world is the application with everything around it that a test can move.
type world struct {
	*app
	inbox *magiclinktest.Inbox
	clock *magiclinktest.Clock
}

// onEach runs a test on each database.
func onEach(t *testing.T, test func(*testing.T, world)) {
	t.Run("SQLite", func(t *testing.T) { test(t, newWorld(t, "")) })
	t.Run("PostgreSQL", func(t *testing.T) { test(t, newWorld(t, dbtest.PostgresDatabase(t))) })
}

func newWorld(t *testing.T, databaseURL string) world {
	t.Helper()
	db, err := openDatabase(t.Context(), databaseURL, filepath.Join(t.TempDir(), "app.db"), "example.com")
	require.NoError(t, err)
	t.Cleanup(db.close)
	keys, err := magiclink.GenerateKeyring(magiclink.EdDSA)
	require.NoError(t, err)
	w := world{inbox: magiclinktest.NewInbox(), clock: magiclinktest.NewClock(time.Now())}
	config := magiclink.Config{BaseURL: host + "/magic", Keys: keys, Store: db.links, Now: w.clock.Now}
	w.app, err = newApp(t.Context(), config, db, w.inbox)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, w.flow.Close(context.WithoutCancel(t.Context()))) })
	return w
}

func (w world) browser(t *testing.T) *magiclinktest.Browser {
	t.Helper()
	return magiclinktest.NewBrowser(t, magiclinktest.Handler(w))
}

type account struct {
	invitedBy string
	verified  bool
}

// account is what the table has of an address. It fails the test if there is none.
func (w world) account(t *testing.T, email string) (found account) {
	t.Helper()
	row := w.db.tables.QueryRowContext(t.Context(), "SELECT invited_by, verified FROM accounts WHERE email = $1", email)
	require.NoError(t, row.Scan(&found.invitedBy, &found.verified))
	return found
}

func (w world) accounts(t *testing.T) (number int) {
	t.Helper()
	require.NoError(t, w.db.tables.QueryRowContext(t.Context(), "SELECT count(*) FROM accounts").Scan(&number))
	return number
}

// Three lines sign a person in. The account is made by the sign-in, and not by the request.
func TestSignUp(t *testing.T) {
	onEach(t, func(t *testing.T, w world) {
		person := w.browser(t)
		waiting := person.Open(host+"/").Submit("email", "Jane@example.com")
		require.Equal(t, "/sign-in/check", waiting.URL.Path)
		mail := w.inbox.Wait(t, "jane@example.com")
		require.Zero(t, w.accounts(t))

		page := person.Open(mail.Link).Submit()
		require.Equal(t, "/", page.URL.Path)
		require.True(t, page.Has("Hello, jane@example.com"))
		require.Equal(t, account{verified: true}, w.account(t, "jane@example.com"))

		w.clock.Advance(time.Hour)
		require.True(t, w.browser(t).SignIn(w.inbox, host+"/", "jane@example.com").Has("Hello, jane@example.com"))
		require.Equal(t, 1, w.accounts(t))
	})
}

// A stranger gets no mail, and sees what everybody sees.
func TestStranger(t *testing.T) {
	onEach(t, func(t *testing.T, w world) {
		page := w.browser(t).Open(host+"/").Submit("email", "joe@elsewhere.example")
		require.Equal(t, "/sign-in/check", page.URL.Path)
		require.NoError(t, w.flow.Wait(t.Context()))
		require.Empty(t, w.inbox.Messages())
		require.Zero(t, w.accounts(t))
	})
}

// The mail is read on the phone, and the code is typed there.
func TestPhone(t *testing.T) {
	onEach(t, func(t *testing.T, w world) {
		w.browser(t).Open(host+"/").Submit("email", "jane@example.com")
		mail := w.inbox.Wait(t, "jane@example.com")
		phone := magiclinktest.NewPhone(t, magiclinktest.Handler(w))
		require.True(t, phone.Open(mail.Link).Submit("code", mail.Code).Has("Hello, jane@example.com"))
	})
}

// Joe has an address elsewhere. Jane invites him, and from then on he can sign in as everybody does.
func TestInvitation(t *testing.T) {
	onEach(t, func(t *testing.T, w world) {
		jane := w.browser(t)
		page := jane.SignIn(w.inbox, host+"/", "jane@example.com").SubmitTo("/invitations", "email", " Joe@elsewhere.example ")
		require.True(t, page.Has("An invitation is on its way to joe@elsewhere.example."), page.Body)
		invitation := w.inbox.Wait(t, "joe@elsewhere.example")
		require.Equal(t, "jane@example.com", invitation.InvitedBy)
		require.Equal(t, account{invitedBy: "jane@example.com"}, w.account(t, "joe@elsewhere.example"))

		joe := w.browser(t)
		require.True(t, joe.Open(invitation.Link).Submit().Has("Hello, joe@elsewhere.example"))
		require.Equal(t, account{invitedBy: "jane@example.com", verified: true}, w.account(t, "joe@elsewhere.example"))

		page = jane.Open("/").SubmitTo("/invitations", "email", "joe")
		require.Equal(t, http.StatusUnprocessableEntity, page.Status)
		require.True(t, page.Has("Nobody was invited."))
		require.Equal(t, 2, w.accounts(t))
	})
}

// The invitation has expired in the mailbox: the request page sends another link.
func TestLateInvitation(t *testing.T) {
	onEach(t, func(t *testing.T, w world) {
		w.browser(t).SignIn(w.inbox, host+"/", "jane@example.com").SubmitTo("/invitations", "email", "joe@elsewhere.example")
		invitation := w.inbox.Wait(t, "joe@elsewhere.example")
		w.clock.Advance(time.Hour)
		joe := w.browser(t)
		require.Equal(t, http.StatusGone, joe.Open(invitation.Link).Status)
		require.True(t, joe.SignIn(w.inbox, "/", "joe@elsewhere.example").Has("Hello, joe@elsewhere.example"))
	})
}

// Jane sees her devices, and ends the session of the other one. Then she signs out.
func TestDevicesAndSignOut(t *testing.T) {
	onEach(t, func(t *testing.T, w world) {
		desk, phone := w.browser(t), w.browser(t)
		desk.SignIn(w.inbox, host+"/", "jane@example.com")
		w.clock.Advance(time.Hour)
		phone.SignIn(w.inbox, host+"/", "jane@example.com")
		require.Equal(t, http.StatusOK, phone.Open("/session").Status)

		desk.Open("/sessions").Press("Sign out there")
		require.Equal(t, http.StatusUnauthorized, phone.Open("/session").Status)
		require.Equal(t, http.StatusOK, desk.Open("/session").Status)

		page := desk.Open("/").Press("Sign out")
		require.Equal(t, "/sign-in", page.URL.Path)
		require.Equal(t, http.StatusUnauthorized, desk.Open("/session").Status)
	})
}

// A page of another site invites nobody in Jane's name.
func TestForeignPageInvitesNobody(t *testing.T) {
	onEach(t, func(t *testing.T, w world) {
		jane := w.browser(t)
		form := jane.SignIn(w.inbox, host+"/", "jane@example.com")
		jane.Header.Set("Origin", "https://evil.example")
		jane.Header.Set("Sec-Fetch-Site", "cross-site")
		require.Equal(t, http.StatusForbidden, form.SubmitTo("/invitations", "email", "joe@elsewhere.example").Status)
		jane.Header.Del("Origin")
		jane.Header.Del("Sec-Fetch-Site")
		require.Equal(t, http.StatusOK, form.SubmitTo("/invitations", "email", "joe@elsewhere.example").Status)
	})
}

// A native app signs in by the JSON routes. The account is made there as well.
func TestNativeApp(t *testing.T) {
	onEach(t, func(t *testing.T, w world) {
		native := client{t, w}
		flow := native.post("/v0/auth/sign-in", map[string]string{"email": "jane@example.com"})["flow"]
		mail := w.inbox.Wait(t, "jane@example.com")
		token := native.post("/v0/auth/sign-in/code", map[string]string{"flow": flow, "code": mail.Code})["session_token"]
		require.Equal(t, account{verified: true}, w.account(t, "jane@example.com"))

		person := w.browser(t)
		person.Header.Set("Authorization", "Bearer "+token)
		require.True(t, person.Open(host+"/").Has("Hello, jane@example.com"))
	})
}

// client posts JSON.
type client struct {
	t *testing.T
	w world
}

// post returns the texts in the data of an answer. It fails the test if the answer is an error.
func (c client) post(path string, body map[string]string) map[string]string {
	c.t.Helper()
	sent, err := json.Marshal(body)
	require.NoError(c.t, err)
	r := httptest.NewRequestWithContext(c.t.Context(), http.MethodPost, host+path, bytes.NewReader(sent))
	r.Header.Set("Content-Type", "application/json")
	got := httptest.NewRecorder()
	c.w.ServeHTTP(got, r)
	require.Less(c.t, got.Code, 300, got.Body.String())
	var answer struct{ Data map[string]any }
	require.NoError(c.t, json.Unmarshal(got.Body.Bytes(), &answer))
	texts := map[string]string{}
	for name, value := range answer.Data {
		texts[name], _ = value.(string)
	}
	return texts
}
