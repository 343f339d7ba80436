package main_test

import (
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/magiclink-go/magiclink/internal/dbtest"
	"github.com/magiclink-go/magiclink/internal/smtptest"
)

const acmeFrom = "Acme <login@acme.example>"

// certificateOf makes the processes of the test trust the certificate of the server.
func certificateOf(t *testing.T, server *smtptest.Server) (env string) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "roots.pem")
	require.NoError(t, os.WriteFile(path, server.Certificate, 0o600))
	return "SSL_CERT_FILE=" + path
}

// A real mail server, with TLS and a log-in, behind the flags; and the trial of it.
func TestSignInOverSMTP(t *testing.T) {
	t.Parallel()
	server := smtptest.Start(t, "smtpd_sasl_auth_enable = yes", "smtpd_client_restrictions = permit_sasl_authenticated, reject")
	server.AddUser(t, "app@example.com", "hunter2-correct")
	url := "smtps://app%40example.com@" + server.TLSAddress()
	env := []string{certificateOf(t, server), "MAGICLINK_SMTP_PASSWORD=hunter2-correct", "MAGICLINK_SMTP=" + url, "MAGICLINK_FROM=" + acmeFrom}

	folder := installed(t)
	trial := command(t, folder, env, "mail", "send", "-to", jane)
	require.Zero(t, trial.code, trial.stderr)
	require.Contains(t, trial.stdout, "The server has taken the mail for "+jane)
	require.Empty(t, readMail(string(server.Mails(t, 1)[0])).code+readMail(string(server.Mails(t, 1)[0])).link)

	setSignIn(t, folder, forExample)
	p := serve(t, folder, env, "-base-url", "https://app.example.com/magic")
	require.NotContains(t, p.output(), "NO MAIL IS SENT")
	require.Contains(t, p.output(), "Sign in with a browser at https://app.example.com/sign-in (addresses of example.com)")
	r, err := http.NewRequest(http.MethodPost, p.origin+"/v0/auth/sign-in", strings.NewReader(`{"email":"`+jane+`"}`))
	require.NoError(t, err)
	r.Header.Set("Content-Type", "application/json")
	asked := do(t, r)
	require.Equal(t, http.StatusAccepted, asked.status, asked.body)
	content := string(server.Mails(t, 2)[1])
	require.Contains(t, content, "From: \"Acme\" <login@acme.example>")
	code := readMail(content).code
	require.NotEmpty(t, code)
	flow := strings.Split(asked.body, `"`)[5]
	signedIn := p.send(http.MethodPost, "/v0/auth/sign-in/code", `{"flow":"`+flow+`","code":"`+code+`"}`, "Content-Type", "application/json")
	require.Equal(t, http.StatusOK, signedIn.status, signedIn.body)
	require.Zero(t, p.stop(syscall.SIGTERM))
	require.NotContains(t, p.output()+p.errors(), "hunter2")
	require.NotContains(t, p.output()+p.errors(), jane)
	require.NotContains(t, p.errors(), "the mail server cannot be used")
	require.NoDirExists(t, filepath.Join(folder, "out"))
}

// The trial says in words what is wrong, and never the password.
func TestMailSendSaysWhatIsWrong(t *testing.T) {
	t.Parallel()
	server := smtptest.Start(t, "smtpd_sasl_auth_enable = yes", "smtpd_client_restrictions = permit_sasl_authenticated, reject")
	server.AddUser(t, "app@example.com", "hunter2-correct")
	trust := certificateOf(t, server)
	nobody, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	closed := nobody.Addr().String()
	require.NoError(t, nobody.Close())
	const user = "app%40example.com@"
	for says, tt := range map[string]struct{ url, env string }{
		"cannot be looked up":       {url: "smtp://mail.invalid"},
		"nothing listens":           {url: "smtp://" + closed},
		"is not trusted":            {url: "smtps://" + user + server.TLSAddress()},
		"refuses the log-in":        {url: "smtps://" + user + server.TLSAddress(), env: trust},
		"refuses the recipient":     {url: "smtps://" + server.TLSAddress(), env: trust},
		"smtp:// for one with STAR": {url: "smtps://" + server.Address(), env: trust},
	} {
		t.Run(says, func(t *testing.T) {
			env := []string{"MAGICLINK_SMTP=" + tt.url, "MAGICLINK_FROM=" + acmeFrom, tt.env}
			if strings.Contains(tt.url, "%40") {
				env = append(env, "MAGICLINK_SMTP_PASSWORD=hunter2-wrong")
			}
			got := command(t, t.TempDir(), env, "mail", "send", "-to", jane)
			requireFailure(t, got, says)
			require.NotContains(t, got.stderr, "hunter2")
		})
	}
}

func TestMailPreview(t *testing.T) {
	folder := t.TempDir()
	got := command(t, folder, nil, "mail", "preview", "-lang", "all", "-out", "shown", "-app-name", "Widgets")
	require.Zero(t, got.code, got.stderr)
	lines := strings.Fields(got.stdout)
	require.Len(t, lines, 11*3*2)
	for _, name := range lines {
		text, err := os.ReadFile(filepath.Join(folder, name))
		require.NoError(t, err)
		require.Contains(t, string(text), "Widgets", name)
	}
	german, err := os.ReadFile(filepath.Join(folder, "shown", "sign-in.de.txt"))
	require.NoError(t, err)
	require.Contains(t, string(german), "Subject: Bei Widgets anmelden\n\n")
	require.Equal(t, "mail-preview/invitation.ar.html\nmail-preview/invitation.ar.txt\n",
		command(t, folder, nil, "mail", "preview", "-lang", "ar", "-kind", "invitation").stdout)
}

func TestWrongMailFlags(t *testing.T) {
	const sender, password = "MAGICLINK_FROM=" + acmeFrom, "MAGICLINK_SMTP_PASSWORD=hunter2"
	for says, tt := range map[string]struct {
		env  []string
		args []string
	}{
		"leave one of the two out":                          {[]string{sender}, []string{"serve", "-smtp", "smtp://h.example", "-mail-dir", "m"}},
		"-smtp needs the sender":                            {nil, []string{"serve", "-smtp", "smtp://h.example"}},
		"-from must be a sender such as":                    {nil, []string{"serve", "-from", "nobody"}},
		"-smtp must not hold the password":                  {[]string{sender}, []string{"serve", "-smtp", "smtp://u:hunter2@h.example"}},
		"MAGICLINK_SMTP_PASSWORD is missing, since -smtp":   {[]string{sender}, []string{"serve", "-smtp", "smtp://u@h.example"}},
		"-smtp must name the user":                          {[]string{sender, password}, []string{"serve", "-smtp", "smtp://h.example"}},
		"-smtp must begin with smtp:// or smtps://":         {[]string{sender}, []string{"serve", "-smtp", "http://h.example"}},
		"-sign-in is malformed: it is which browser may":    {nil, []string{"serve", "-sign-in", "on"}},
		`MAGICLINK_SIGN_IN="on" is malformed`:               {[]string{"MAGICLINK_SIGN_IN=on"}, []string{"serve"}},
		"-mail-dir is not safe to write to":                 {nil, []string{"serve", "-mail-dir", "/tmp/.."}},
		"-lang xx is not a language":                        {nil, []string{"mail", "preview", "-lang", "xx"}},
		"-kind x is not a kind":                             {nil, []string{"mail", "preview", "-kind", "x"}},
		"say where to send":                                 {[]string{sender}, []string{"mail", "send", "-smtp", "smtp://h.example"}},
		"say which mail server":                             {nil, []string{"mail", "send", "-to", jane}},
		`say what to do: preview, send`:                     {nil, []string{"mail"}},
		"MAGICLINK_STORE is empty: write where links are":   {[]string{"MAGICLINK_STORE="}, []string{"serve"}},
		"MAGICLINK_STORE is empty: write where links are k": {[]string{"MAGICLINK_STORE="}, []string{"purge"}},
	} {
		t.Run(says, func(t *testing.T) {
			if strings.HasPrefix(says, "-mail-dir is not safe") {
				open := filepath.Join(t.TempDir(), "open")
				require.NoError(t, os.Mkdir(open, 0o700))
				require.NoError(t, os.Chmod(open, 0o777))
				tt.args[2] = open
			}
			if tt.args[0] == "serve" {
				tt.args = append(tt.args, "-addr", "127.0.0.1:0")
			}
			got := command(t, t.TempDir(), tt.env, tt.args...)
			require.Equal(t, 2, got.code, got.stderr)
			require.Contains(t, got.stderr, says)
			require.Equal(t, 1, strings.Count(got.stderr, "\n"))
			require.NotContains(t, got.stderr, "hunter2")
		})
	}
}

// silentServer accepts connections and says nothing.
func silentServer(t *testing.T) (address string) {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	t.Cleanup(func() { listener.Close() })
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			t.Cleanup(func() { conn.Close() })
		}
	}()
	return listener.Addr().String()
}

// At the end the links of mails that could not be sent are revoked.
func TestEndRevokesLinksOfMailsNotSent(t *testing.T) {
	t.Parallel()
	folder := installed(t)
	setSignIn(t, folder, forEverybody)
	p := serve(t, folder, nil, "-smtp", "smtp://"+silentServer(t), "-from", acmeFrom)
	newPerson(t).ask(p.origin, jane)
	var listed result
	p.eventually(func() bool {
		listed = command(t, folder, nil, "links", "list", "-tenant", "t")
		return strings.Contains(listed.stdout, "mlk_")
	}, "the link is there before its mail")
	require.Contains(t, listed.stdout, "live")
	began := time.Now()
	require.Zero(t, p.stop(syscall.SIGTERM))
	require.Less(t, time.Since(began), 5*time.Second)
	require.Contains(t, p.errors(), "a sign-in mail has failed for good, and its link is revoked")
	require.Contains(t, p.errors(), "some sign-in mails were not sent")
	require.Contains(t, command(t, folder, nil, "links", "list", "-tenant", "t").stdout, "revoked")
}

// A mail that is under way at the end is sent.
func TestEndWaitsForMails(t *testing.T) {
	folder := t.TempDir()
	p := serve(t, folder, nil)
	for n := range 5 {
		newPerson(t).ask(p.origin, string(rune('a'+n))+jane)
	}
	require.Zero(t, p.stop(syscall.SIGTERM))
	mails(t, mailOf(folder), 5)
	require.NotContains(t, p.errors(), "not sent")
}

// Replicas share the limits, and one finishes what another has begun.
func TestReplicasShareSignIn(t *testing.T) {
	_, env, args := sharedFiles(t, sharedStores["postgres"](t))
	folder := t.TempDir()
	one, two := serve(t, folder, env, append(args, "-mail-dir", "out")...), serve(t, folder, env, append(args, "-mail-dir", "out")...)
	out := filepath.Join(folder, "out")
	b := newPerson(t)
	b.ask(one.origin, jane)
	mail := mails(t, out, 1)[0]
	for range 3 {
		newPerson(t).ask(two.origin, "Jane+again@example.com")
		newPerson(t).ask(one.origin, jane)
	}
	newPerson(t).ask(two.origin, "joe@example.com") // the control
	require.Contains(t, mails(t, out, 2)[1].text, "To: <joe@example.com>")
	require.Equal(t, http.StatusSeeOther, b.typed(two.origin, mail.code).status)
	require.Equal(t, http.StatusOK, b.session(one.origin).status)
	require.Zero(t, one.stop(syscall.SIGTERM))
	require.Zero(t, two.stop(syscall.SIGTERM))
	mails(t, out, 2)
}

// A client is who a trusted proxy says, for the limits of the sign-in, too.
func TestSignInLimitsEachClient(t *testing.T) {
	folder := t.TempDir()
	p := serve(t, folder, nil, "-store", "memory", "-trusted-proxy", "127.0.0.1")
	ask := func(from string) int {
		return p.send(http.MethodPost, "/v0/auth/sign-in", `{"email":"x"}`, "Content-Type", "application/json", "X-Forwarded-For", from).status
	}
	limited := 0
	for range 40 {
		if ask("192.0.2.1") == http.StatusTooManyRequests {
			limited++
		}
	}
	require.GreaterOrEqual(t, limited, 9)
	require.Equal(t, http.StatusAccepted, ask("192.0.2.2"), "the control")
}

// The mails of a tenant are limited, and the log says so.
func TestSignInLimitsTheTenant(t *testing.T) {
	const warning = "raise Limits.PerTenant (serve: -limit-mails)"
	for limit, want := range map[string]int{"2/1h": 2, "off": 4} {
		folder := t.TempDir()
		p := serve(t, folder, nil, "-store", "memory", "-limit-mails", limit, "-mail-dir", "out")
		for n := range 4 {
			got := p.send(http.MethodPost, "/v0/auth/sign-in", fmt.Sprintf(`{"email":"p%d@example.com"}`, n), "Content-Type", "application/json")
			require.Equal(t, http.StatusAccepted, got.status)
		}
		mails(t, filepath.Join(folder, "out"), want)
		p.eventually(func() bool { return strings.Contains(p.errors(), warning) == (want < 4) }, limit)
	}
}

// Requests that wait for a store which does not answer are answered before the end.
func TestEndAnswersRequestsThatWait(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"postgres", "redis"} {
		t.Run(name, func(t *testing.T) {
			store, proxy, _ := behindProxy(t, sharedStores[name](t))
			p := serve(t, t.TempDir(), append([]string{"MAGICLINK_STORE=" + store}, testClient...))
			token := p.token()
			require.Equal(t, http.StatusCreated, p.issue(token, acme).status)
			proxy.Stall()
			const waiting = 3
			answers := make(chan int, waiting)
			for range waiting {
				go func() {
					answers <- p.Send(http.MethodPost, "/v0/auth/magic-link", acme, "Content-Type", "application/json", "Authorization", "Bearer "+token).Status
				}()
			}
			time.Sleep(500 * time.Millisecond) // no event tells that a request waits
			began := time.Now()
			p.Signal(syscall.SIGTERM)
			for range waiting {
				require.Equal(t, http.StatusServiceUnavailable, <-answers)
			}
			require.Zero(t, p.ExitCode())
			require.Less(t, time.Since(began), 5500*time.Millisecond)
			require.NotContains(t, p.errors(), "cut off")
		})
	}
}

func TestRedisWithoutTLS(t *testing.T) {
	t.Parallel()
	server := strings.TrimPrefix(dbtest.RedisURL(t), "redis")
	got := command(t, t.TempDir(), []string{"MAGICLINK_STORE=rediss" + server}, "serve", "-addr", "127.0.0.1:0")
	requireFailure(t, got, "rediss:// speaks TLS: if the port has none, write redis://")
}
