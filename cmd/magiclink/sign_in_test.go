package main_test

import (
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"
)

const jane = "jane@example.com"

// mailOf is the directory of mails of a first start.
func mailOf(folder string) string { return dataFile(folder, "mail") }

// setSignIn writes a configuration with this member sign_in; empty is none.
func setSignIn(t *testing.T, folder, member string) {
	t.Helper()
	text := `{"businesses":[{"id":"biz_GA6EG2qFxA97NZHtxeLPUy","tenant":"t","external_id":"acme"}]`
	if member != "" {
		text += `,"sign_in":` + member
	}
	require.NoError(t, os.WriteFile(dataFile(folder, "config.json"), []byte(text+"}"), 0o600))
}

const (
	forExample     = `{"tenant":"t","external_business_id":"acme","domains":["example.com"]}`
	forEverybody   = `{"tenant":"t","external_business_id":"acme","domains":["*"]}`
	forDevelopment = `{"tenant":"t","external_business_id":"acme","development":true}`
)

// The first command of a newcomer, in an empty directory: from an address to a session, and out again.
func TestFirstStartSignsIn(t *testing.T) {
	folder := t.TempDir()
	p := serve(t, folder, nil)
	require.Contains(t, p.output(), "Sign in with a browser at "+p.origin+"/sign-in (every address, in development)\nNO MAIL IS SENT: mails are written into magiclink-data/mail")
	jane1 := newPerson(t)
	const note = "no mail is sent. Mails are written into magiclink-data/mail"
	landing := jane1.get(p.origin + "/reports")
	require.Contains(t, landing.body, `href="/sign-in?next=%2Freports"`)
	require.Contains(t, landing.body, note)

	page := jane1.get(p.origin + "/sign-in?next=%2Freports")
	require.Contains(t, page.body, note)
	require.Equal(t, http.StatusSeeOther, jane1.submit(p.origin, page, "email", jane).status)
	require.Contains(t, jane1.get(p.origin+"/sign-in/check").body, note)
	mail := mails(t, mailOf(folder), 1)[0]
	p.eventually(func() bool { return strings.Contains(p.output(), "\nA mail was written: magiclink-data/mail/2") }, "it comes through a pipe")

	got := jane1.submit(p.origin, jane1.get(mail.link))
	require.Equal(t, http.StatusSeeOther, got.status, got.body)
	require.Equal(t, p.origin+"/reports", got.header.Get("Location"))
	landed := jane1.get(p.origin + "/reports")
	require.Contains(t, landed.body, "You are signed in as <bdi>jane@example.com</bdi>")
	require.Contains(t, landed.body, `href="/sessions"`)
	sessions := jane1.get(p.origin + "/sessions")
	require.Equal(t, http.StatusOK, sessions.status)
	require.Contains(t, sessions.body, "This browser")
	require.Equal(t, http.StatusSeeOther, jane1.submit(p.origin, landed).status)
	require.Equal(t, http.StatusUnauthorized, jane1.session(p.origin).status)
	require.Equal(t, p.origin+"/sign-in?next=%2Fsessions", p.origin+jane1.get(p.origin+"/sessions").header.Get("Location"))

	require.Zero(t, p.stop(syscall.SIGTERM))
	all := p.output() + p.errors()
	require.Contains(t, all, "route=/sign-in/check", "the control: requests are logged")
	for _, secret := range []string{mail.code, bareToken(mail.link), jane} {
		require.NotContains(t, strings.ReplaceAll(all, `"email":"jane@example.com"`, ""), secret)
	}
	second := serve(t, folder, nil)
	require.Contains(t, second.output(), "NO MAIL IS SENT", "not only at the first start")
}

// With prefer another browser needs the code, with require no other browser gets in, with off a click is enough.
func TestSignInModes(t *testing.T) {
	for mode, want := range map[string]struct{ click, withCode int }{
		"": {http.StatusForbidden, http.StatusSeeOther}, "prefer": {http.StatusForbidden, http.StatusSeeOther},
		"require": {http.StatusForbidden, http.StatusForbidden}, "off": {http.StatusSeeOther, 0},
	} {
		t.Run(mode, func(t *testing.T) {
			folder := t.TempDir()
			p := serve(t, folder, []string{"MAGICLINK_SIGN_IN=" + mode}, "-store", "memory", "-app-name", "Acme Reports")
			newPerson(t).ask(p.origin, jane)
			mail := mails(t, mailOf(folder), 1)[0]
			require.Contains(t, mail.text, "Subject: Sign in to Acme Reports\n")
			other := newPerson(t)
			page := other.get(mail.link)
			require.Equal(t, http.StatusOK, page.status)
			if !strings.Contains(page.body, "</form>") {
				require.Equal(t, "require", mode)
				return
			}
			require.Equal(t, want.click, other.submit(p.origin, page).status)
			if want.withCode != 0 {
				require.Equal(t, want.withCode, other.submit(p.origin, page, "code", mail.code).status)
			}
		})
	}
}

// Who may sign in is decided by the whole domain, and no answer shows it.
func TestSignInDomains(t *testing.T) {
	folder := installed(t)
	require.NoError(t, os.Remove(mailOf(folder)))
	setSignIn(t, folder, forExample)
	p := serve(t, folder, nil, "-mail-dir", "out", "-from", "Acme <login@acme.example>")
	for _, address := range []string{
		"a@mail.example.com", "a@example.com.evil.example", "a@evil-example.com", "a@example.org", "a@example.com@evil.example", "no address", "John@EXAMPLE.com",
	} {
		newPerson(t).ask(p.origin, address)
	}
	mail := mails(t, filepath.Join(folder, "out"), 1)[0]
	require.Contains(t, mail.text, "To: <John@example.com>")
	require.Contains(t, mail.text, `From: "Acme" <login@acme.example>`)
	require.Zero(t, p.stop(syscall.SIGTERM))
	require.Len(t, mails(t, filepath.Join(folder, "out"), 1), 1, "nothing was under way")
	require.NoDirExists(t, mailOf(folder))
}

// The member can come, change and go while serve runs. What was mailed before stays bound to its browser.
func TestSignInReload(t *testing.T) {
	t.Parallel()
	folder := installed(t)
	require.NoError(t, os.Remove(mailOf(folder)))
	setSignIn(t, folder, "")
	p := serve(t, folder, nil)
	require.Contains(t, p.output(), `has no member "sign_in"`)
	require.NoDirExists(t, mailOf(folder))
	requireOff := func() {
		t.Helper()
		for _, path := range []string{"/sign-in", "/sign-in/check", "/sign-in/resend", "/v0/auth/sign-in", "/v0/auth/sign-in/code"} {
			require.Equal(t, http.StatusNotFound, p.get(path).status, path)
			require.Equal(t, http.StatusNotFound, p.send(http.MethodPost, path, "").status, path)
		}
		require.NotContains(t, p.get("/").body, "/sign-in")
	}
	requireOff()

	setSignIn(t, folder, forDevelopment)
	p.eventually(func() bool { return p.get("/sign-in").status == http.StatusOK }, "it follows")
	one := newPerson(t)
	one.ask(p.origin, jane)
	mail := mails(t, mailOf(folder), 1)[0]

	setSignIn(t, folder, `{"tenant":"t","external_business_id":"nobody","domains":["*"]}`)
	p.eventually(func() bool { return p.get("/readyz").status == http.StatusServiceUnavailable }, "a fault is told")
	require.Equal(t, http.StatusOK, p.get("/sign-in").status, "what was in force stays")
	require.Contains(t, p.errors(), "sign_in.external_business_id must be the external id of a business")

	setSignIn(t, folder, "")
	p.eventually(func() bool { return p.get("/sign-in").status == http.StatusNotFound }, "it follows")
	requireOff()
	other := newPerson(t)
	require.Equal(t, http.StatusForbidden, other.submit(p.origin, other.get(mail.link)).status, "still bound")
	require.Equal(t, http.StatusSeeOther, one.submit(p.origin, one.get(mail.link)).status)
}

// Outside of this machine nobody signs in without somebody having said who may, and how mails are sent.
func TestSignInElsewhere(t *testing.T) {
	const elsewhere = "https://app.example.com/magic"
	folder := installed(t)
	for says, tt := range map[string]struct {
		member string
		args   []string
	}{
		"sign_in.development counts only": {forDevelopment, []string{"-mail-dir", "out"}},
		`"domains": ["example.com"]`:      {forDevelopment, nil},
		"sign_in needs a mail server":     {forExample, nil},
		"-mail-dir DIR writes the mails":  {forEverybody, nil},
	} {
		setSignIn(t, folder, tt.member)
		got := command(t, folder, nil, append([]string{"serve", "-addr", "127.0.0.1:0", "-base-url", elsewhere}, tt.args...)...)
		requireFailure(t, got, says)
	}
	require.NoDirExists(t, filepath.Join(folder, "out"))
	setSignIn(t, folder, forDevelopment)
	requireFailure(t, command(t, folder, nil, "serve", "-addr", "127.0.0.1:0", "-smtp", "smtp://127.0.0.1", "-from", "a@acme.example"), "sign_in.development")

	setSignIn(t, folder, forExample)
	p := serve(t, folder, nil, "-base-url", elsewhere, "-mail-dir", "out")
	require.Contains(t, p.output(), "NO MAIL IS SENT: mails are written into out")
	require.NotContains(t, p.get("/").body, "Mails are written", "the pages are for strangers there")
	require.NotContains(t, p.get("/sign-in").body, "Mails are written")
	require.Zero(t, p.stop(syscall.SIGTERM))

	fresh := t.TempDir()
	p = serve(t, fresh, testClient, "-base-url", elsewhere)
	require.Contains(t, p.output(), `has no member "sign_in"`)
	require.Zero(t, p.stop(syscall.SIGTERM))
	require.Zero(t, serve(t, fresh, testClient, "-base-url", elsewhere).stop(syscall.SIGTERM), "and again")
}

func TestSignInConfigFaults(t *testing.T) {
	folder := installed(t)
	with := func(old, replacement string) string { return strings.Replace(forExample, old, replacement, 1) }
	for member, says := range map[string]string{
		`[]`:                                   "sign_in must be a JSON object",
		`null`:                                 "sign_in must be a JSON object",
		with("}", `,"domain":1}`):              "sign_in.domain is not a member",
		with(`"t"`, `""`):                      "sign_in.tenant must be",
		with(`"t"`, `"u"`):                     `sign_in.external_business_id must be the external id of a business of the tenant "u"`,
		with(`"acme"`, `""`):                   "sign_in.external_business_id must be",
		with(`,"domains":["example.com"]`, ``): "sign_in.domains must say whose addresses may sign in",
		with(`["example.com"]`, `[]`):          "sign_in.domains must say",
		with(`"domains":["example.com"]`, `"development":false`): "sign_in.domains must say",
		with("}", `,"development":true}`):                        "sign_in.development stands in place of sign_in.domains",
		with("}", `,"development":"yes"}`):                       "sign_in.development must be true or false",
		with(`["example.com"]`, `"example.com"`):                 "sign_in.domains must be a list of strings",
		with(`["example.com"]`, `["a.example","*"]`):             "sign_in.domains[1] lets every address in",
		with(`example.com`, `Example.com`):                       `sign_in.domains[0] must be in lower case: write "example.com"`,
		with(`example.com`, `@example.com`):                      "sign_in.domains[0]",
		with(`example.com`, `*.example.com`):                     "sign_in.domains[0]",
		with(`example.com`, ``):                                  "sign_in.domains[0]",
	} {
		setSignIn(t, folder, member)
		requireFailure(t, command(t, folder, nil, "config", "check"), says)
		requireFailure(t, command(t, folder, nil, "serve", "-addr", "127.0.0.1:0"), says)
	}
	setSignIn(t, folder, with(`["example.com"]`, `["example.com","example.org"]`))
	got := command(t, folder, nil, "config", "check")
	require.Equal(t, "magiclink-data/config.json is valid: 0 clients, 1 business, sign-in to \"acme\" for addresses of example.com, example.org\n", got.stdout, got.stderr)
	require.Zero(t, command(t, folder, nil, "clients", "add", "crm", "-tenant", "t").code)
	kept, err := os.ReadFile(dataFile(folder, "config.json"))
	require.NoError(t, err)
	require.Contains(t, string(kept), `"example.org"`, "a command that changes the file keeps the member")
	requireFailure(t, command(t, folder, nil, "businesses", "remove", "acme"), "people sign in to this business")
}
