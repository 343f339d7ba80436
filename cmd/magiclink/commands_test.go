package main_test

import (
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// installed makes a data directory as a first start does.
func installed(t *testing.T) (folder string) {
	t.Helper()
	folder = t.TempDir()
	require.Zero(t, serve(t, folder, testClient).stop(syscall.SIGTERM))
	return folder
}

func TestWrongUsage(t *testing.T) {
	folder := installed(t)
	for name, tt := range map[string]struct {
		env  []string
		args []string
		says string
	}{
		"no command":              {says: "Usage: magiclink COMMAND"},
		"unknown command":         {args: []string{"sing"}, says: `no command "sing"`},
		"unknown flag":            {args: []string{"serve", "-sing"}, says: "-sing"},
		"unknown store":           {args: []string{"serve", "-store", "paper"}, says: "sqlite or memory"},
		"unknown log format":      {args: []string{"serve", "-log", "xml"}, says: "text or json"},
		"an argument too many":    {args: []string{"serve", "now"}, says: `"now"`},
		"half a client":           {args: []string{"serve", "-data", "new", "-addr", "127.0.0.1:0"}, env: testClient[:1], says: "go together"},
		"issue for nobody":        {args: []string{"issue"}, says: "-business"},
		"issue with faults":       {args: []string{"issue", "-external-business", "acme", "-ttl", "16", "-path", "x"}, says: "-ttl must be at most 15; -path"},
		"issue with ttl 0":        {args: []string{"issue", "-external-business", "acme", "-ttl", "0"}, says: "-ttl must be at least 1"},
		"a malformed number":      {args: []string{"issue", "-ttl", "five"}, says: "ttl"},
		"a malformed variable":    {args: []string{"issue"}, env: []string{"MAGICLINK_TTL=five"}, says: "MAGICLINK_TTL"},
		"keys without an action":  {args: []string{"keys"}, says: "list, rotate"},
		"keys with a wrong one":   {args: []string{"keys", "eat"}, says: `"eat"`},
		"retire nothing":          {args: []string{"keys", "retire"}, says: "KID"},
		"help for what is not":    {args: []string{"help", "sing"}, says: "sing"},
		"purge with an argument":  {args: []string{"purge", "all"}, says: `"all"`},
		"issue with a bad tenant": {args: []string{"issue", "-external-business", "acme", "-tenant", "a\tb"}, says: "-tenant"},
	} {
		t.Run(name, func(t *testing.T) {
			got := command(t, folder, tt.env, tt.args...)
			require.Equal(t, 2, got.code, got.stderr)
			require.Contains(t, got.stderr, tt.says)
			require.Empty(t, got.stdout)
		})
	}
}

func TestHelp(t *testing.T) {
	for _, args := range [][]string{{"help"}, {"-h"}, {"--help"}} {
		got := command(t, t.TempDir(), nil, args...)
		require.Zero(t, got.code)
		for _, name := range []string{"serve", "issue", "keys", "purge", "help"} {
			require.Contains(t, got.stdout, "  "+name)
			for _, args := range [][]string{{"help", name}, {name, "-h"}} {
				if name == "keys" && args[1] == "-h" || name == "help" {
					continue
				}
				one := command(t, t.TempDir(), nil, args...)
				require.Zero(t, one.code, args)
				require.Contains(t, one.stdout, "Example:\n  magiclink "+name)
			}
		}
	}
}

func TestFailures(t *testing.T) {
	folder := installed(t)
	for name, args := range map[string][]string{
		"issue without a data directory": {"issue", "-data", "nowhere", "-external-business", "acme"},
		"keys without a data directory":  {"keys", "list", "-data", "nowhere"},
		"purge without a data directory": {"purge", "-data", "nowhere"},
		"an unknown business":            {"issue", "-external-business", "other"},
		"retire the signing key":         {"keys", "retire", signingKey(t, folder)},
		"retire an unknown key":          {"keys", "retire", "key_x"},
		"listen beyond without a URL":    {"serve", "-addr", "0.0.0.0:0"},
		"listen where one cannot":        {"serve", "-addr", "192.0.2.1:1"},
		"a configuration that is gone":   {"serve", "-config", "gone.json", "-addr", "127.0.0.1:0"},
		"a base URL that is no https":    {"serve", "-base-url", "http://app.example.com/magic", "-addr", "127.0.0.1:0"},
	} {
		t.Run(name, func(t *testing.T) {
			got := command(t, folder, nil, args...)
			require.Equal(t, 1, got.code)
			require.Equal(t, 1, strings.Count(got.stderr, "\n"), "one line: %s", got.stderr)
			require.NoDirExists(t, filepath.Join(folder, "nowhere"))
		})
	}
}

func signingKey(t *testing.T, folder string) string {
	t.Helper()
	got := command(t, folder, nil, "keys", "list")
	require.Zero(t, got.code, got.stderr)
	return regexp.MustCompile(`(?m)^(key_\S+) +EdDSA +signs`).FindStringSubmatch(got.stdout)[1]
}

func TestIssuePrintsTheLinkAlone(t *testing.T) {
	folder := installed(t)
	got := command(t, folder, []string{"MAGICLINK_EMAIL=jane@example.com", "MAGICLINK_BASE_URL=https://app.example.com/magic"},
		"issue", "-external-business", "acme", "-path", "/reports?y=1#top")
	require.Zero(t, got.code, got.stderr)
	require.Regexp(t, `^https://app\.example\.com/magic/reports\?y=1&token=[\w.-]+#top\n$`, got.stdout)
	require.Empty(t, got.stderr)
}

func TestKeysAreFollowedByARunningServe(t *testing.T) {
	folder := installed(t)
	p := serve(t, folder, testClient)
	token := p.token()
	old := signingKey(t, folder)
	rotated := command(t, folder, nil, "keys", "rotate")
	require.Zero(t, rotated.code, rotated.stderr)
	newKey := strings.TrimSpace(rotated.stdout)
	require.Equal(t, newKey, signingKey(t, folder))

	require.Eventually(t, func() bool { return strings.Contains(p.get("/.well-known/jwks.json").body, newKey) },
		30*time.Second, 50*time.Millisecond)
	require.Equal(t, http.StatusCreated, p.issue(token, acme).status, "the old key still verifies")
	require.Zero(t, command(t, folder, nil, "keys", "retire", old).code)
	require.Eventually(t, func() bool { return p.issue(token, acme).status == http.StatusUnauthorized },
		30*time.Second, 50*time.Millisecond)

	jwks := command(t, folder, nil, "keys", "jwks")
	require.Contains(t, jwks.stdout, newKey)
	require.NotContains(t, jwks.stdout, old)
	require.NotContains(t, jwks.stdout, `"d"`)
}

func TestPurgeCountsWhatItRemoves(t *testing.T) {
	folder := installed(t)
	require.Zero(t, command(t, folder, nil, "issue", "-external-business", "acme").code)
	got := command(t, folder, nil, "purge")
	require.Zero(t, got.code, got.stderr)
	require.Equal(t, "0\n", got.stdout, "a live link stays")

	expire(t, filepath.Join(folder, "magiclink-data", "magiclink.db"))
	require.Equal(t, "1\n", command(t, folder, nil, "purge").stdout)
	require.Equal(t, "0\n", command(t, folder, nil, "purge").stdout)
}

func TestConfigFaultsNameTheMember(t *testing.T) {
	folder := installed(t)
	path := filepath.Join(folder, "magiclink-data", "config.json")
	const client = `{"id":"c","secret_sha256":"98b8c0604df2a1050109eadc0d756a3e8be7225312bd51413560aa30a061dd7c","tenant":"t","scopes":[]}`
	const business = `{"id":"biz_GA6EG2qFxA97NZHtxeLPUy","tenant":"t","external_id":"acme"}`
	for text, says := range map[string]string{
		`{`:                           "not valid JSON",
		`{"clients":[],"clients":[]}`: "duplicate",
		`{"Clients":[]}`:              `"Clients"`,
		`{"clients":{}}`:              "clients must be a list",
		`{"clients":[5]}`:             "clients[0]",
		`{"clients":[{"name":"x"}]}`:  `"clients[0].name"`,
		`{"clients":[{"id":5}]}`:      "clients[0].id",
		`{"clients":[{"id":"c"}]}`:    "clients[0].secret_sha256",
		`{"clients":[` + client + `,` + client + `]}`:                                                           "clients[1].id",
		`{"clients":[` + strings.Replace(client, `"c"`, `"a b"`, 1) + `]}`:                                      "clients[0]: its id",
		`{"clients":[` + strings.Replace(client, `"t"`, `""`, 1) + `]}`:                                         "clients[0].tenant",
		`{"clients":[` + strings.Replace(client, `[]`, `["a b"]`, 1) + `]}`:                                     "scopes",
		`{"clients":[` + strings.Replace(client, `[]`, `[1]`, 1) + `]}`:                                         "clients[0].scopes[0]",
		`{"clients":[` + strings.Replace(client, `}`, `,"business_id":"biz_x"}`, 1) + `]}`:                      "business id",
		`{"clients":[` + strings.Replace(client, `}`, `,"business_id":"biz_GA6EG2qFxA97NZHtxeLPUy"}`, 1) + `]}`: "clients[0].business_id",
		`{"businesses":[{"id":"biz_x","tenant":"t"}]}`:                                                          "businesses[0].id",
		`{"businesses":[{"id":"biz_GA6EG2qFxA97NZHtxeLPUy"}]}`:                                                  "businesses[0].tenant",
		`{"businesses":[` + business + `,` + business + `]}`:                                                    "businesses[1].id",
		`{"businesses":[` + business + `,` + strings.Replace(business, "GA6", "GA7", 1) + `]}`:                  "businesses[1].external_id",
		`{"businesses":[` + strings.Replace(business, "acme", `\u0007`, 1) + `]}`:                               "businesses[0].external_id",
	} {
		t.Run(says, func(t *testing.T) {
			require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
			got := command(t, folder, nil, "serve", "-addr", "127.0.0.1:0")
			require.Equal(t, 1, got.code)
			require.Contains(t, got.stderr, says)
			require.Equal(t, 1, strings.Count(got.stderr, "\n"), "one line: %s", got.stderr)
		})
	}
	require.NoError(t, os.WriteFile(path, []byte(`{"clients":[`+client+`],"businesses":[`+business+`]}`), 0o600))
	require.Zero(t, serve(t, folder, nil).stop(syscall.SIGTERM), "the control")
}
