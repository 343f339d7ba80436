package main_test

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"
)

// installed makes a data directory as a first start does.
func installed(t *testing.T) (folder string) {
	t.Helper()
	folder = t.TempDir()
	require.Zero(t, serve(t, folder, testClient).stop(syscall.SIGTERM))
	return folder
}

// dataFile is a file of the data directory in the folder.
func dataFile(folder, name string) string { return filepath.Join(folder, "magiclink-data", name) }

// requireFailure asserts a failure that is one line on standard error.
func requireFailure(t *testing.T, got result, says string) {
	t.Helper()
	require.Equal(t, 1, got.code, got.stderr)
	require.Contains(t, got.stderr, says)
	require.Equal(t, 1, strings.Count(got.stderr, "\n"), "one line: %s", got.stderr)
	require.Empty(t, got.stdout)
}

// Each fault of the command line says how to write the line.
func TestWrongUsage(t *testing.T) {
	folder := installed(t)
	for name, tt := range map[string]struct {
		env  []string
		args []string
		says string
	}{
		"no command":              {says: "Usage: magiclink COMMAND"},
		"unknown command":         {args: []string{"sing"}, says: `no command "sing": run "magiclink help"`},
		"mistyped command":        {args: []string{"isue"}, says: `did you mean "magiclink issue"?`},
		"unknown flag":            {args: []string{"serve", "-sing"}, says: "no flag -sing"},
		"mistyped flag":           {args: []string{"serve", "-sotre", "memory"}, says: "did you mean -store?"},
		"flag without a value":    {args: []string{"serve", "-data"}, says: "-data needs a value"},
		"unknown store":           {args: []string{"serve", "-store", "paper"}, says: "write sqlite, memory, postgres://"},
		"unknown log format":      {args: []string{"serve", "-log", "xml"}, says: "write text or json"},
		"a word too many":         {args: []string{"serve", "now"}, says: `"now"`},
		"half a client":           {args: []string{"serve", "-data", "new", "-addr", "127.0.0.1:0"}, env: testClient[:1], says: "set both or neither"},
		"address without a host":  {args: []string{"serve", "-addr", "21003"}, says: "write -addr 127.0.0.1:21003"},
		"address without a port":  {args: []string{"serve", "-addr", "localhost"}, says: "write -addr localhost:8080"},
		"address of IPv6":         {args: []string{"serve", "-addr", "::1:8080"}, says: "write -addr [::1]:8080"},
		"address of IPv6 alone":   {args: []string{"serve", "-addr", "fe80::a"}, says: "write -addr [fe80::a]:8080"},
		"IPv6 without a port":     {args: []string{"serve", "-addr", "[::1]"}, says: "write -addr [::1]:8080"},
		"address of too much":     {args: []string{"serve", "-addr", "a:b:c"}, says: "write -addr 127.0.0.1:8080"},
		"address with a big port": {args: []string{"serve", "-addr", "127.0.0.1:99999"}, says: "write -addr 127.0.0.1:8080"},
		"address that is a URL":   {args: []string{"serve", "-addr", "http://127.0.0.1:80"}, says: "-base-url"},
		"address of issue":        {args: []string{"issue", "-external-business", "acme", "-addr", "21003"}, says: "write -addr 127.0.0.1:21003"},
		"address beyond":          {args: []string{"serve", "-addr", "0.0.0.0:0"}, says: "-base-url https://"},
		"base URL without https":  {args: []string{"serve", "-addr", "127.0.0.1:0", "-base-url", "http://app.example.com/magic"}, says: "-base-url must"},
		"malformed new-link URL":  {args: []string{"serve", "-addr", "127.0.0.1:0", "-new-link-url", "javascript:x"}, says: "-new-link-url"},
		"rotating too often":      {args: []string{"serve", "-rotate-every", "1s"}, says: "at least 10m"},
		"malformed duration":      {args: []string{"serve", "-rotate-every", "often"}, says: "-rotate-every 720h"},
		"no connections":          {args: []string{"serve", "-max-connections", "0"}, says: "at least 16"},
		"issue for nobody":        {args: []string{"issue"}, says: "-external-business"},
		"issue for a tenant's id": {args: []string{"issue", "-business", "acme"}, says: "write -external-business acme"},
		"issue for a cut id":      {args: []string{"issue", "-business", "biz_GA6EG2q"}, says: `"biz_" and 22 characters: copy it from "magiclink businesses list"`},
		"issue with faults":       {args: []string{"issue", "-external-business", "acme", "-ttl", "16", "-path", "x"}, says: "-ttl must be at most 15; -path"},
		"issue with ttl 0":        {args: []string{"issue", "-external-business", "acme", "-ttl", "0"}, says: "-ttl must be at least 1"},
		"a malformed number":      {args: []string{"issue", "-ttl", "five"}, says: "-ttl 5"},
		"a malformed variable":    {args: []string{"issue"}, env: []string{"MAGICLINK_TTL=five"}, says: "MAGICLINK_TTL"},
		"issue with a bad tenant": {args: []string{"issue", "-external-business", "acme", "-tenant", "a\tb"}, says: "-tenant"},
		"keys without an action":  {args: []string{"keys"}, says: "list, prepare, rotate, retire, jwks"},
		"keys with a wrong one":   {args: []string{"keys", "eat"}, says: "write one of list"},
		"keys with a mistyped":    {args: []string{"keys", "rotat"}, says: `did you mean "rotate"?`},
		"retire nothing":          {args: []string{"keys", "retire"}, says: "magiclink keys retire KID"},
		"retire two":              {args: []string{"keys", "retire", "a", "b"}, says: `"b"`},
		"list with a word":        {args: []string{"clients", "list", "x"}, says: `"x"`},
		"add no client":           {args: []string{"clients", "add"}, says: "magiclink clients add ID"},
		"remove no business":      {args: []string{"businesses", "remove"}, says: "magiclink businesses remove ID"},
		"an unknown scope":        {args: []string{"clients", "add", "x", "-scope", "auth:creat"}, says: "auth:create, auth:read, auth:revoke"},
		"a bad client id":         {args: []string{"clients", "add", "a b"}, says: "visible ASCII"},
		"a bad business id":       {args: []string{"businesses", "add", "x", "-id", "biz_x"}, says: "biz_"},
		"config without check":    {args: []string{"config"}, says: "check"},
		"help for what is not":    {args: []string{"help", "sing"}, says: "sing"},
		"purge with a word":       {args: []string{"purge", "all"}, says: `"all"`},
		"links without an action": {args: []string{"links"}, says: "list, show, revoke"},
		"links of a bad state":    {args: []string{"links", "list", "-state", "usd"}, says: "did you mean used?"},
		"links since nonsense":    {args: []string{"links", "list", "-since", "often"}, says: "2026-01-02"},
		"links with limit 0":      {args: []string{"links", "list", "-limit", "0"}, says: "-all"},
		"links of a bad business": {args: []string{"links", "list", "-business", "acme"}, says: "-external-business"},
		"links of a bad tenant":   {args: []string{"links", "list", "-tenant", "a\tb"}, says: "-tenant"},
		"show no link":            {args: []string{"links", "show"}, says: "magiclink links show ID"},
		"show what is no id":      {args: []string{"links", "show", "jane@example.com"}, says: "22 characters"},
		"revoke nobody":           {args: []string{"links", "revoke"}, says: "-email ADDRESS"},
		"revoke a tenant":         {args: []string{"links", "revoke", "-tenant", "dev"}, says: "-email ADDRESS"},
		"revoke an empty address": {args: []string{"links", "revoke", "-email", ""}, says: "-email ADDRESS"},
		"revoke two things":       {args: []string{"links", "revoke", "mlk_2222222222222222222222", "-email", "jane@example.com"}, says: "not both"},
		"revoke in memory":        {args: []string{"links", "revoke", "-email", "jane@example.com", "-store", "memory"}, says: "cannot reach the memory of serve"},
		"end nobody":              {args: []string{"sessions", "end"}, says: "-email ADDRESS"},
		"end what is no id":       {args: []string{"sessions", "end", "x"}, says: "ses_"},
		"limits of nobody":        {args: []string{"limits", "show"}, says: "-client-address IP"},
		"limits of two":           {args: []string{"limits", "show", "-email", "jane@example.com", "-client-address", "::1"}, says: "name one limit"},
		"limits of no address":    {args: []string{"limits", "show", "-client-address", "home"}, says: "2001:db8::7"},
		"limits of a server's tenant": {
			args: []string{"limits", "show", "-server", "https://app.example.com", "-tenant", "t"}, says: "-tenant has no place beside -server",
		},
		"a key of a server": {args: []string{"limits", "show", "-server", "https://app.example.com", "issue:x"}, says: "a KEY and -client-address need"},
		"a client of a server": {
			args: []string{"limits", "reset", "-server", "https://app.example.com", "-client-address", "::1"}, says: "a KEY and -client-address need",
		},
		"reset a server's tenant": {args: []string{"limits", "reset", "-server", "https://app.example.com"}, says: "on the data directory or -store alone"},
		"two limits of a server": {
			args: []string{"limits", "show", "-server", "https://app.example.com", "-email", "a@example.com", "-business", "b"}, says: "name one limit",
		},
		"limits without a client": {args: []string{"limits", "show", "-server", "https://app.example.com"}, says: "MAGICLINK_CLIENT_ID"},
		"a malformed rate":        {args: []string{"serve", "-limit-subject", "5 a day"}, says: "-limit-subject 10/1m"},
		"a rate of nothing":       {args: []string{"serve", "-limit-redeem", "0/1s"}, says: "-limit-redeem 10/1m"},
		"a rate without a period": {args: []string{"serve", "-limit-tenant", "5"}, says: "-limit-tenant 10/1m"},
		"a malformed time":        {args: []string{"links", "list", "-since", "yesterday"}, says: "-since is malformed: write a time as 2026-01-02T15:04:05Z, a day"},
		"a flag without a value":  {args: []string{"serve", "-redis-index"}, says: "-redis-index needs a value: it is the fields"},
		"a malformed proxy":       {args: []string{"serve", "-trusted-proxy", "10.0.0.0/33"}, says: "10.0.0.0/8"},
		"a long max-ttl":          {args: []string{"serve", "-max-ttl", "16"}, says: "1 to 15"},
		"index of nothing":        {args: []string{"index", "create"}, says: "tenant, email, business, external-business"},
		"index of a column":       {args: []string{"index", "drop", "path"}, says: "tenant, email, business, external-business"},
		"a server over http":      {args: []string{"links", "list", "-server", "http://app.example.com"}, says: "https://"},
		"a server with a path":    {args: []string{"links", "list", "-server", "https://app.example.com/magic"}, says: "without a path"},
		"a server with a user":    {args: []string{"links", "list", "-server", "https://a:b@app.example.com"}, says: "without a user"},
		"a server without client": {args: []string{"links", "list", "-server", "https://app.example.com"}, says: "MAGICLINK_CLIENT_SECRET"},
		"a server's tenant":       {args: []string{"links", "list", "-server", "https://app.example.com", "-tenant", "t"}, says: "the tenant is that of the client"},
		"version with a word":     {args: []string{"version", "all"}, says: `"all"`},
	} {
		t.Run(name, func(t *testing.T) {
			got := command(t, folder, tt.env, tt.args...)
			require.Equal(t, 2, got.code, got.stderr)
			require.Contains(t, got.stderr, tt.says)
			require.Empty(t, got.stdout)
			if len(tt.args) > 0 {
				require.Equal(t, 1, strings.Count(got.stderr, "\n"), "one line: %s", got.stderr)
			}
		})
	}
}

// serve and the commands name the base URL as the links have it: without the port of its scheme.
func TestBaseURLWithTheDefaultPort(t *testing.T) {
	const given, links = "https://app.example.com:443/magic", "https://app.example.com/magic"
	folder := t.TempDir()
	p := serve(t, folder, testClient, "-base-url", given)
	require.Equal(t, links, p.BaseURL)
	p.eventually(func() bool {
		return strings.Contains(p.output(), "The proxy in front must pass https://app.example.com on to here.")
	}, "it comes through a pipe")
	require.Contains(t, p.issue(p.token(), acme).body, `"magic_link":"`+links+`/reports?token=`)
	require.Contains(t, p.get("/.well-known/oauth-authorization-server").body, `"issuer": "https://app.example.com"`)
	for _, base := range []string{given, links} {
		link := command(t, folder, nil, "issue", "-base-url", base, "-external-business", "acme")
		require.Zero(t, link.code, link.stderr)
		require.True(t, strings.HasPrefix(link.stdout, links+"?token="), link.stdout)
		got := command(t, folder, nil, "redeem", "-base-url", given, strings.TrimSpace(link.stdout))
		require.Zero(t, got.code, got.stderr)
	}
	require.Contains(t, serve(t, t.TempDir(), testClient, "-base-url", "http://localhost:80/m").output(), "links begin with http://localhost/m\n")
}

func TestHelp(t *testing.T) {
	names := []string{"serve", "issue", "redeem", "links", "sessions", "limits", "index", "migrate", "keys", "clients", "businesses", "config", "mail", "purge", "version", "help"}
	for _, args := range [][]string{{"help"}, {"-h"}, {"--help"}} {
		got := command(t, t.TempDir(), nil, args...)
		require.Zero(t, got.code)
		for _, name := range names {
			require.Contains(t, got.stdout, "  "+name)
		}
	}
	for _, name := range names {
		lines := [][]string{{"help", name}, {name, "-h"}, {name, "list", "-h"}}
		if name == "help" {
			lines = lines[:1]
		}
		for _, args := range lines {
			one := command(t, t.TempDir(), nil, args...)
			require.Zero(t, one.code, args)
			require.Contains(t, one.stdout, "Example:\n  magiclink "+name)
		}
	}
	require.Contains(t, command(t, t.TempDir(), nil, "help", "config").stdout, "clients[].secret_sha256")
	require.Contains(t, command(t, t.TempDir(), nil, "help", "serve").stdout, "MAGICLINK_ROTATE_EVERY")
}

func TestVersion(t *testing.T) {
	for _, args := range [][]string{{"version"}, {"-version"}, {"--version"}} {
		got := command(t, t.TempDir(), nil, args...)
		require.Zero(t, got.code)
		require.Regexp(t, `^magiclink \S+.*, `+runtime.Version()+" ", got.stdout)
	}
	var fields map[string]string
	require.NoError(t, json.Unmarshal([]byte(command(t, t.TempDir(), nil, "version", "-json").stdout), &fields))
	require.Equal(t, runtime.Version(), fields["go"])
	require.NotEmpty(t, fields["version"])
}

// Flags may stand before, between and behind the words, and in the environment.
func TestFlagsStandAnywhere(t *testing.T) {
	folder := installed(t)
	data := dataFile(folder, "")
	elsewhere := t.TempDir()
	want := command(t, folder, nil, "keys", "list").stdout
	require.Contains(t, want, "signs")
	for name, got := range map[string]result{
		"before":      command(t, elsewhere, nil, "keys", "-data", data, "list"),
		"behind":      command(t, elsewhere, nil, "keys", "list", "-data", data),
		"environment": command(t, elsewhere, []string{"MAGICLINK_DATA=" + data}, "keys", "list"),
		"flag wins":   command(t, elsewhere, []string{"MAGICLINK_DATA=nowhere"}, "keys", "list", "-data", data),
		"equals sign": command(t, elsewhere, nil, "keys", "--data="+data, "list"),
		"two dashes":  command(t, elsewhere, nil, "keys", "-data", data, "--", "list"),
	} {
		require.Zero(t, got.code, "%s: %s", name, got.stderr)
		require.Equal(t, want, got.stdout, name)
	}
	require.Equal(t, 2, command(t, elsewhere, nil, "keys", "list", "--", "-data").code, "a word")
}

func TestFailures(t *testing.T) {
	folder := installed(t)
	require.NoError(t, os.Mkdir(filepath.Join(folder, "empty"), 0o700))
	for name, tt := range map[string]struct {
		args []string
		says string
	}{
		"issue without a data directory": {[]string{"issue", "-data", "nowhere", "-external-business", "acme"}, `"magiclink serve" once`},
		"keys without a data directory":  {[]string{"keys", "list", "-data", "nowhere"}, "-data"},
		"purge without a data directory": {[]string{"purge", "-data", "nowhere"}, "-data"},
		"add without a data directory":   {[]string{"clients", "add", "x", "-data", "nowhere"}, "-data"},
		"an empty directory":             {[]string{"keys", "rotate", "-force", "-data", "empty"}, "not a data directory"},
		"an unknown business":            {[]string{"issue", "-external-business", "other"}, "magiclink businesses list"},
		"retire the signing key":         {[]string{"keys", "retire", signingKey(t, folder)}, "magiclink keys prepare"},
		"retire an unknown key":          {[]string{"keys", "retire", "key_x"}, "magiclink keys list"},
		"remove an unknown client":       {[]string{"clients", "remove", "x"}, "magiclink clients list"},
		"remove an unknown business":     {[]string{"businesses", "remove", "x"}, "magiclink businesses list"},
		"listen where one cannot":        {[]string{"serve", "-addr", "192.0.2.1:1"}, "-addr"},
		"a configuration that is gone":   {[]string{"serve", "-config", "gone.json", "-addr", "127.0.0.1:0"}, "gone.json"},
	} {
		t.Run(name, func(t *testing.T) {
			requireFailure(t, command(t, folder, nil, tt.args...), tt.says)
			require.NoDirExists(t, filepath.Join(folder, "nowhere"))
		})
	}
}

func TestIssuePrintsTheLinkAlone(t *testing.T) {
	folder := installed(t)
	got := command(t, folder, []string{"MAGICLINK_EMAIL=jane@example.com", "MAGICLINK_BASE_URL=https://app.example.com/magic"},
		"issue", "-external-business", "acme", "-path", "/reports?y=1#top")
	require.Zero(t, got.code, got.stderr)
	require.Regexp(t, `^https://app\.example\.com/magic/reports\?y=1&token=[\w.-]+#top\n$`, got.stdout)
	require.Empty(t, got.stderr)
}

func TestPurgeSaysWhatItRemoved(t *testing.T) {
	folder := installed(t)
	require.Zero(t, command(t, folder, nil, "issue", "-external-business", "acme").code)
	got := command(t, folder, nil, "purge")
	require.Zero(t, got.code, got.stderr)
	require.Equal(t, "removed 0 expired links\n", got.stdout, "a live link stays")

	expire(t, dataFile(folder, "magiclink.db"))
	require.Equal(t, "removed 1 expired link\n", command(t, folder, nil, "purge").stdout)
	require.JSONEq(t, `{"removed":0}`, command(t, folder, nil, "purge", "-json").stdout)
}

// A running serve removes expired links by itself.
func TestServePurges(t *testing.T) {
	folder := installed(t)
	require.Zero(t, command(t, folder, nil, "issue", "-external-business", "acme").code)
	path := dataFile(folder, "magiclink.db")
	expire(t, path)
	p := serve(t, folder, nil)
	left := func() (n int) {
		require.NoError(t, database(t, path).QueryRow("SELECT count(*) FROM magiclink_links").Scan(&n))
		return n
	}
	p.eventually(func() bool { return left() == 0 }, "the link is gone")
}

// Without cgo the command can be built, and says what the store in SQLite needs.
func TestBuildWithoutCgo(t *testing.T) {
	if testing.Short() {
		t.Skip("builds everything once more")
	}
	plain := filepath.Join(t.TempDir(), "magiclink")
	build := exec.Command("go", "build", "-o", plain, ".")
	build.Env = append(os.Environ(), "CGO_ENABLED=0", "GOFLAGS=")
	out, err := build.CombinedOutput()
	require.NoError(t, err, string(out))

	folder := t.TempDir()
	refused := exec.Command(plain, "serve", "-addr", "127.0.0.1:0")
	refused.Dir = folder
	out, err = refused.CombinedOutput()
	require.Error(t, err)
	require.Equal(t, 1, refused.ProcessState.ExitCode())
	require.Contains(t, string(out), "needs cgo")
	p := serveUnder(t, func(serve *exec.Cmd) *exec.Cmd {
		serve.Path = plain
		return serve
	}, folder, testClient, "-store", "memory")
	require.Equal(t, 201, p.issue(p.token(), acme).status)
}
