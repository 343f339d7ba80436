package main_test

import (
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/magiclink-go/magiclink/internal/dbtest"
	"github.com/magiclink-go/magiclink/internal/servetest"
	"github.com/magiclink-go/magiclink/internal/smtptest"
)

// takesNoFile is a directory of root in which nobody can make a file, not even root.
const takesNoFile = "/sys"

// A start that could send no mail fails: later the requests would be answered as if there were one.
func TestMailDirectoryThatTakesNoMail(t *testing.T) {
	got := command(t, t.TempDir(), nil, "serve", "-addr", "127.0.0.1:0", "-mail-dir", takesNoFile)
	require.Equal(t, 2, got.code, got.stderr)
	require.Regexp(t, `^magiclink serve: -mail-dir cannot be written to: /sys: .*: let the user of this process write there, or name another directory; .*\n$`, got.stderr)
	require.NotContains(t, got.stdout, "client_secret", "the secret of an installation that is not made")
}

// The log of serve says what "magiclink mail send" says.
func TestServeExplainsTheMailServer(t *testing.T) {
	t.Parallel()
	server := smtptest.Start(t, "smtpd_sasl_auth_enable = yes", "smtpd_client_restrictions = permit_sasl_authenticated, reject")
	server.AddUser(t, "app@example.com", "hunter2-correct")
	env := []string{
		certificateOf(t, server), "MAGICLINK_SMTP=smtps://app%40example.com@" + server.TLSAddress(), "MAGICLINK_FROM=" + acmeFrom,
		"MAGICLINK_SMTP_PASSWORD=hunter2-wrong",
	}
	folder := installed(t)
	setSignIn(t, folder, forExample)
	p := serve(t, folder, env)
	const advice = "535 5.7.8 to AUTH: the mail server refuses the log-in: correct the user in -smtp (an @ in it is written %40), " +
		"and the password in MAGICLINK_SMTP_PASSWORD; \\\"magiclink mail send\\\" tries it"
	said := func(message string) func() bool {
		return func() bool {
			for line := range strings.Lines(p.errors()) {
				if strings.Contains(line, message) && strings.Contains(line, advice) {
					return true
				}
			}
			return false
		}
	}
	p.eventually(said("the mail server cannot be used"), "at the start, before anybody asks")
	newPerson(t).ask(p.origin, jane)
	p.eventually(said("a sign-in mail has failed for good"), "and about each mail")
	require.NotContains(t, p.errors(), "hunter2")
}

// A first start that has not finished is no loss of files.
func TestUnfinishedFirstStart(t *testing.T) {
	folder := t.TempDir()
	require.Equal(t, 1, command(t, folder, nil, "serve", "-addr", "127.0.0.1:0", "-audit", "/dev/full").code)
	for _, args := range [][]string{{"clients", "add", "x"}, {"clients", "list"}, {"config", "check"}} {
		requireFailure(t, command(t, folder, nil, args...), `the first start here has not finished: run "magiclink serve" again`)
	}
	require.Zero(t, serve(t, folder, nil).stop(syscall.SIGTERM), "which helps")
	require.Zero(t, command(t, folder, nil, "clients", "add", "x").code)
}

// A first start that cannot show the secret of its client makes none: the next one does.
func TestFirstStartThatCannotPrint(t *testing.T) {
	folder := t.TempDir()
	full, err := os.OpenFile("/dev/full", os.O_WRONLY, 0)
	require.NoError(t, err)
	defer full.Close()
	var stderr strings.Builder
	cmd := exec.CommandContext(t.Context(), servetest.Binary(t), "serve", "-addr", "127.0.0.1:0")
	cmd.Dir, cmd.Stdout, cmd.Stderr = folder, full, &stderr
	cmd.WaitDelay = time.Second
	stop := time.AfterFunc(20*time.Second, func() { _ = cmd.Process.Kill() })
	defer stop.Stop()
	require.Error(t, cmd.Run())
	require.Equal(t, 1, cmd.ProcessState.ExitCode(), stderr.String())
	require.Contains(t, stderr.String(), "cannot be written to standard output")
	require.NoFileExists(t, dataFile(folder, "config.json"))
	require.Contains(t, serve(t, folder, nil).output(), "This secret is shown once")
}

// What serve prints where nobody can sign in can be pasted into the configuration.
func TestLinesForSignIn(t *testing.T) {
	const base, sender, server = "-base-url=https://app.example.com/magic", "-from=" + acmeFrom, "-smtp=smtp://localhost:1"
	for name, tt := range map[string]struct{ first, second []string }{
		"with a mail server": {[]string{base, sender, server}, []string{base, sender, server}},
		"without one":        {[]string{base}, []string{base, sender, server}},
		"on this machine":    {[]string{sender, server}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			folder := t.TempDir()
			p := serve(t, folder, testClient, tt.first...)
			require.Equal(t, name == "without one", strings.Contains(p.output(), "and give -smtp smtp://USER@HOST:587 and -from"), p.output())
			if tt.second == nil {
				require.Zero(t, p.stop(syscall.SIGTERM))
				p = serve(t, folder, nil)
			}
			_, rest, found := strings.Cut(p.output(), `add for example`+"\n\n  ")
			require.True(t, found, p.output())
			member, _, _ := strings.Cut(rest, "\n")
			require.Zero(t, p.stop(syscall.SIGTERM))

			text, err := os.ReadFile(dataFile(folder, "config.json"))
			require.NoError(t, err)
			added := strings.TrimSuffix(strings.TrimSpace(string(text)), "}") + "," + member + "}"
			require.NoError(t, os.WriteFile(dataFile(folder, "config.json"), []byte(added), 0o600))
			require.Contains(t, serve(t, folder, nil, tt.second...).output(), "Sign in with a browser at")
		})
	}
}

// Each error says what to do next.
func TestErrorsSayWhatToDo(t *testing.T) {
	t.Parallel()
	garbage := func(name, text string) func(*testing.T, string) {
		return func(t *testing.T, folder string) {
			require.NoError(t, os.WriteFile(dataFile(folder, name), []byte(text), 0o600))
		}
	}
	start := []string{"serve", "-addr", "127.0.0.1:0"}
	stored := func(url string) []string { return append(start, "-store", url) }
	for name, tt := range map[string]struct {
		spoil func(t *testing.T, folder string)
		args  []string
		says  []string
	}{
		"data directory": {nil, append(start, "-data", takesNoFile+"/x"), []string{"name another one with -data, or let the user of this process write there"}},
		"keys":           {garbage("keys.json", "{"), start, []string{"restore the file from a backup", `"magiclink keys rotate -force"`}},
		"database":       {garbage("magiclink.db", strings.Repeat("no database ", 99)), start, []string{"file is not a database: restore it from a backup; or move it away"}},
		"its schema": {func(t *testing.T, folder string) {
			_, err := database(t, dataFile(folder, "magiclink.db")).Exec("UPDATE magiclink_schema SET version = 99")
			require.NoError(t, err)
		}, start, []string{"upgrade the package, or restore a backup from before the upgrade"}},
		"another database": {func(t *testing.T, folder string) {
			_, err := database(t, dataFile(folder, "magiclink.db")).Exec("DROP TABLE magiclink_schema")
			require.NoError(t, err)
		}, start, []string{"belongs to another application", "name another directory with -data"}},
		"owner":        {func(t *testing.T, folder string) { chown(t, dataFile(folder, ""), somebodyElse, -1) }, start, []string{"restored with a wrong owner: chown -R "}},
		"postgres":     {nil, stored("postgres://127.0.0.1:1/x"), []string{"refused: nothing listens there: start the server, or correct the host and the port in -store"}},
		"migrate":      {nil, []string{"migrate", "-store", "postgres://127.0.0.1:1/x"}, []string{"nothing listens there"}},
		"redis":        {nil, stored("redis://127.0.0.1:1/0"), []string{"refused: nothing listens there"}},
		"cluster":      {nil, stored("redis://127.0.0.1:1?addr=127.0.0.1:2"), []string{"refused: nothing listens there"}},
		"sentinels":    {nil, stored("redis://127.0.0.1:1?master_name=x"), []string{"correct the host and the port in -store"}},
		"unknown host": {nil, stored("redis://db.invalid"), []string{"correct the host in -store"}},
		"UTF-8 BOM":    {garbage("config.json", "\xEF\xBB\xBF{}"), start, []string{"config.json: the file begins with a byte order mark (BOM): save it as UTF-8 without one"}},
		"UTF-16":       {garbage("config.json", "\xFF\xFE{\x00}\x00"), start, []string{"byte order mark"}},
	} {
		t.Run(name, func(t *testing.T) {
			folder := installed(t)
			if tt.spoil != nil {
				tt.spoil(t, folder)
			}
			got := command(t, folder, nil, tt.args...)
			for _, says := range tt.says {
				requireFailure(t, got, says)
			}
		})
	}
}

// A database that is gone is no reason not to start, since the links may have been in another store. It is told, since it may
// have been lost.
func TestLostDatabase(t *testing.T) {
	t.Parallel()
	const says = "made an empty database in a directory that was set up before"
	folder := installed(t)
	p := serve(t, folder, nil)
	require.Zero(t, p.stop(syscall.SIGTERM))
	require.NotContains(t, p.errors(), says, "the control")
	for name, lose := range map[string]func() error{
		"removed":   func() error { return os.Remove(dataFile(folder, "magiclink.db")) },
		"truncated": func() error { return os.Truncate(dataFile(folder, "magiclink.db"), 0) },
	} {
		require.NoError(t, lose(), name)
		p := serve(t, folder, nil)
		require.Zero(t, p.stop(syscall.SIGTERM), name)
		require.Contains(t, p.errors(), says, name)
	}
}

// What the error about a garbled key file or database says works.
func TestBeginAnewAfterGarbage(t *testing.T) {
	folder := installed(t)
	for _, name := range []string{"keys.json", "magiclink.db"} {
		require.NoError(t, os.WriteFile(dataFile(folder, name), []byte(strings.Repeat("garbage", 99)), 0o600))
		require.NoError(t, os.Remove(dataFile(folder, name)))
	}
	require.Zero(t, command(t, folder, nil, "keys", "rotate", "-force").code)
	require.Zero(t, serve(t, folder, nil).stop(syscall.SIGTERM))
}

// A variable with a wrong letter has no effect, and that is said.
func TestMistypedVariables(t *testing.T) {
	folder := installed(t)
	env := []string{"MAGICLINK_ADR=127.0.0.1:1"}
	const warning = "there is no variable MAGICLINK_ADR: did you mean MAGICLINK_ADDR?"
	got := command(t, folder, env, "clients", "list")
	require.Zero(t, got.code, got.stderr)
	require.Equal(t, "Warning: "+warning+"\n", got.stderr)
	p := serve(t, folder, env)
	require.Zero(t, p.stop(syscall.SIGTERM))
	require.Equal(t, 1, strings.Count(p.errors(), warning), p.errors())

	quiet := []string{
		"MAGICLINK_ADDR=127.0.0.1:0", "MAGICLINK_TEST_ADDR=x", "MAGICLINK_PORT=tcp://10.0.0.1:80", "MAGICLINK_SERVICE_HOST=10.0.0.1",
		"MAGICLINK_SMTP_PASSWORD=", "MAGICLINK_DAT=", "OTHER_ADR=x",
	}
	require.Equal(t, "Warning: there is no variable MAGICLINK_DAT: did you mean MAGICLINK_DATA?\n", command(t, folder, quiet, "clients", "list").stderr)
}

// A user or a password that is not escaped would be taken for a host, and shown.
func TestUnescapedPasswords(t *testing.T) {
	const codes = "%40 for @, %2F for /, %3F for ?, %23 for # and %25 for %"
	for _, password := range []string{"p@hunter2", "p@hunter2#w", "p@hunter2/1", "p@hunter2?w", "1#hunter2", "1/hunter2", "1?hunter2", "hunter2%x"} {
		for _, before := range []string{"postgres://app:", "redis://:", "rediss://app:"} {
			for _, behind := range []string{"@127.0.0.1:1", "@127.0.0.1:1/0"} {
				got := command(t, t.TempDir(), []string{"MAGICLINK_STORE=" + before + password + behind}, "purge")
				require.Equal(t, 2, got.code, got.stderr)
				require.Contains(t, got.stderr, "in the password "+codes)
				require.NotContains(t, got.stderr, "hunter2")
			}
		}
		for _, user := range []string{password, "app:" + password} {
			got := command(t, t.TempDir(), []string{"MAGICLINK_SMTP=smtp://" + user + "@127.0.0.1:1", "MAGICLINK_FROM=" + acmeFrom}, "mail", "send", "-to", jane)
			require.Equal(t, 2, got.code, got.stderr)
			if !strings.Contains(user, "%") {
				require.Contains(t, got.stderr, "in the user "+codes+"; the password comes from MAGICLINK_SMTP_PASSWORD")
			}
			require.NotContains(t, got.stderr, "hunter2")
		}
	}
	escaped := command(t, t.TempDir(), []string{"MAGICLINK_STORE=redis://:p%40ss%23w@127.0.0.1:1"}, "purge")
	requireFailure(t, escaped, "nothing listens there")
}

// The help of -store names what a URL may have.
func TestHelpOfStoreURLs(t *testing.T) {
	help := command(t, t.TempDir(), nil, "help", "serve").stdout
	for _, name := range []string{"sslrootcert=FILE", "sslcert=FILE", "sslkey=FILE", "master_name=NAME", "-redis-replicas number (MAGICLINK_REDIS_REPLICAS)"} {
		require.Contains(t, help, name)
	}
}

// A write counts only when so many replicas have it.
func TestRedisReplicas(t *testing.T) {
	t.Parallel()
	primary := dbtest.StartRedis(t)
	proxy := dbtest.NewProxy(t, primary.Address())
	primary.ReplicaThrough(t, proxy.Address())
	folder := t.TempDir()
	p := serve(t, folder, append([]string{"MAGICLINK_STORE=" + primary.URL(), "MAGICLINK_REDIS_REPLICAS=1"}, testClient...))
	token := p.token()
	require.Equal(t, 201, p.issue(token, acme).status)
	plain := serve(t, folder, []string{"MAGICLINK_STORE=" + primary.URL()})
	proxy.Refuse()
	proxy.Cut()
	primary.Await(t, "INFO replication", "connected_slaves:0")
	requireOutage(t, p, token)
	require.Equal(t, 201, plain.issue(plain.token(), acme).status, "the control")

	for _, args := range [][]string{{"-redis-replicas", "-1", "-store", primary.URL()}, {"-redis-replicas", "1"}} {
		got := command(t, folder, nil, append([]string{"purge"}, args...)...)
		require.Equal(t, 2, got.code, got.stderr)
		require.Contains(t, got.stderr, "write 0 or more, and -store redis://")
	}
}

// serve finds the primary by asking the sentinels, and finds the one that they promote.
func TestSentinels(t *testing.T) {
	t.Parallel()
	primary := dbtest.StartRedis(t)
	replica := primary.Replica(t)
	at := dbtest.StartSentinels(t, primary)
	url := "redis://" + at[0] + "?master_name=" + dbtest.SentinelMaster + "&addr=" + at[1] + "&addr=" + at[2]
	p := serve(t, t.TempDir(), append([]string{"MAGICLINK_STORE=" + url}, testClient...))
	token := p.token()
	require.Equal(t, 201, p.issue(token, acme).status)
	primary.Stop(t)
	p.eventually(func() bool { return p.issue(token, acme).status == 201 }, "the replica is the primary now")
	require.Contains(t, replica.Ask(t, "INFO replication"), "role:master")

	for _, lagging := range []string{"&replica_only=true", "&route_by_latency=true", "&route_randomly=true"} {
		got := command(t, t.TempDir(), nil, "purge", "-store", url+lagging)
		require.Equal(t, 2, got.code, got.stderr)
		require.Contains(t, got.stderr, "replicas may not know yet that a link was used")
	}
}
