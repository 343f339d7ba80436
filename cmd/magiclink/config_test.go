package main_test

import (
	"encoding/json"
	"os"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"
)

const (
	entryOfClient = `{"id":"c","secret_sha256":"98b8c0604df2a1050109eadc0d756a3e8be7225312bd51413560aa30a061dd7c","tenant":"t","scopes":[]}`
	entryOfAcme   = `{"id":"biz_GA6EG2qFxA97NZHtxeLPUy","tenant":"t","external_id":"acme"}`
)

func TestConfigFaultsNameTheMember(t *testing.T) {
	folder := installed(t)
	path := dataFile(folder, "config.json")
	with := func(old, replacement string) string {
		return `{"clients":[` + strings.Replace(entryOfClient, old, replacement, 1) + `],"businesses":[` + entryOfAcme + `]}`
	}
	withBusiness := func(old, replacement string) string {
		return `{"businesses":[` + entryOfAcme + `,` + strings.Replace(entryOfAcme, old, replacement, 1) + `]}`
	}
	for text, says := range map[string]string{
		``:                                  "not complete",
		`{`:                                 "not complete",
		`[]`:                                "must be a JSON object",
		"{\n\"clients\": [}\n}":             "line 2 is not valid JSON",
		`{} {}`:                             "behind the JSON object",
		`{"clients":[],"clients":[]}`:       "clients is a duplicate",
		`{"Clients":[]}`:                    "Clients is not a member",
		`{"clients":{}}`:                    "clients must be a list",
		`{"clients":[5]}`:                   "clients[0] must be a JSON object",
		`{"clients":[null]}`:                "clients[0] must be a JSON object",
		`{"clients":[{"name":"x"}]}`:        "clients[0].name is not a member",
		`{"clients":[{"id":5}]}`:            "clients[0].id must be a string",
		`{"clients":[{"id":"a","id":"b"}]}`: "clients[0].id is a duplicate",
		with(`"98b8`, `"98b`):               "clients[0].secret_sha256 must be",
		with(`98b8c0604df2a1050109eadc0d756a3e8be7225312bd51413560aa30a061dd7c`, `e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855`): "clients[0].secret_sha256 is the hash of an empty secret",
		with(`"c"`, `"a b"`):                                        "clients[0].id must be",
		with(`"t"`, `""`):                                           "clients[0].tenant must be",
		with(`[]`, `["auth:creat"]`):                                `clients[0].scopes[0] "auth:creat" is not a scope: write one of auth:create, auth:read, auth:revoke`,
		with(`[]`, `["auth:read", "Auth:read"]`):                    "clients[0].scopes[1]",
		with(`[]`, `[1]`):                                           "clients[0].scopes must be a list of strings",
		with(`[]`, `"auth:read"`):                                   "clients[0].scopes must be a list of strings",
		with(`}`, `,"business_id":"biz_x"}`):                        "clients[0].business_id must be",
		with(`}`, `,"business_id":7}`):                              "clients[0].business_id must be a string",
		`{"clients":[` + entryOfClient + `,` + entryOfClient + `]}`: `clients[1].id "c" is the id of another client`,
		`{"businesses":[{"id":"biz_x","tenant":"t"}]}`:              "businesses[0].id must be",
		`{"businesses":[{"id":"biz_GA6EG2qFxA97NZHtxeLPUy"}]}`:      "businesses[0].tenant must be",
		withBusiness("x", "x"):                                      "businesses[1].id is the id of another",
		withBusiness("GA6", "GA7"):                                  "businesses[1].external_id is the id of another",
		withBusiness("acme", `\u0007`):                              "businesses[1].",
	} {
		t.Run(says, func(t *testing.T) {
			require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
			requireFailure(t, command(t, folder, nil, "serve", "-addr", "127.0.0.1:0"), says)
			requireFailure(t, command(t, folder, nil, "config", "check"), says)
			requireFailure(t, command(t, folder, nil, "clients", "add", "other"), says)
			kept, err := os.ReadFile(path)
			require.NoError(t, err)
			require.Equal(t, text, string(kept), "a file with a fault stays as it is")
		})
	}
	require.NoError(t, os.WriteFile(path, []byte(with("", "")), 0o600))
	got := command(t, folder, nil, "config", "check")
	require.Equal(t, "magiclink-data/config.json is valid: 1 client, 1 business\n", got.stdout, got.stderr)
	require.Zero(t, serve(t, folder, nil).stop(syscall.SIGTERM), "the control")
}

// A client of a tenant without a business can issue no link. That may be right, since businesses can be added later.
func TestClientOfATenantWithoutABusiness(t *testing.T) {
	folder := installed(t)
	const warning = `Warning: the tenant "new" has no business, so the client can issue no link: ` +
		`run "magiclink businesses add EXTERNAL-ID -tenant new", or correct -tenant`
	got := command(t, folder, nil, "clients", "add", "portal", "-tenant", "new")
	require.Zero(t, got.code, got.stderr)
	require.Contains(t, got.stderr, warning)
	require.Regexp(t, `^[A-Z2-7]{26}\n$`, got.stdout)
	got = command(t, folder, nil, "clients", "add", "second", "-tenant", "new", "-json")
	require.Contains(t, got.stderr, warning)
	require.True(t, json.Valid([]byte(got.stdout)))
	require.NotContains(t, command(t, folder, nil, "clients", "add", "reader", "-tenant", "new", "-scope", "auth:read").stderr, "Warning")

	require.Zero(t, command(t, folder, nil, "businesses", "add", "shop", "-tenant", "new").code, "the command that the warning names")
	require.NotContains(t, command(t, folder, nil, "clients", "add", "third", "-tenant", "new").stderr, "Warning")
}

func TestClients(t *testing.T) {
	folder := installed(t)
	p := serve(t, folder, nil)
	added := command(t, folder, nil, "clients", "add", "portal", "-scope", "auth:create", "-scope", "auth:read")
	require.Zero(t, added.code, added.stderr)
	require.Regexp(t, `^[A-Z2-7]{26}\n$`, added.stdout, "the secret alone")
	secret := strings.TrimSpace(added.stdout)
	p.eventually(func() bool { return p.tokenStatus("portal", secret) == 200 }, "a running serve follows")

	listed := command(t, folder, nil, "clients", "list")
	require.Regexp(t, `(?m)^portal +dev +auth:create auth:read +any$`, listed.stdout)
	var entries []map[string]any
	require.NoError(t, json.Unmarshal([]byte(command(t, folder, nil, "clients", "list", "-json").stdout), &entries))
	require.Len(t, entries, 2)
	require.NotContains(t, entries[1], "secret_sha256")
	require.NotContains(t, entries[1], "secret")
	config, err := os.ReadFile(dataFile(folder, "config.json"))
	require.NoError(t, err)
	require.NotContains(t, string(config), secret)
	info, err := os.Stat(dataFile(folder, "config.json"))
	require.NoError(t, err)
	require.Equal(t, os.FileMode(0o600), info.Mode().Perm())

	requireFailure(t, command(t, folder, nil, "clients", "add", "portal"), "already")
	require.Zero(t, command(t, folder, nil, "clients", "remove", "portal").code)
	p.eventually(func() bool { return p.tokenStatus("portal", secret) == 401 }, "a running serve follows")
	require.Equal(t, 200, p.tokenStatus("crm", testSecret), "the control")
}

func TestClientsJSONAndScopesOfTheEnvironment(t *testing.T) {
	folder := installed(t)
	env := []string{"MAGICLINK_SCOPE=auth:read,auth:revoke"}
	var added struct {
		ID, Secret, Tenant string
		Scopes             []string
	}
	got := command(t, folder, env, "clients", "add", "one", "-json")
	require.NoError(t, json.Unmarshal([]byte(got.stdout), &added), got.stderr)
	require.Equal(t, []string{"auth:read", "auth:revoke"}, added.Scopes)
	require.Len(t, added.Secret, 26)
	got = command(t, folder, env, "clients", "add", "two", "-scope", "auth:create", "-json")
	require.NoError(t, json.Unmarshal([]byte(got.stdout), &added), got.stderr)
	require.Equal(t, []string{"auth:create"}, added.Scopes, "the command line wins")
}

func TestBusinesses(t *testing.T) {
	folder := installed(t)
	added := command(t, folder, nil, "businesses", "add", "globex")
	require.Zero(t, added.code, added.stderr)
	id := strings.TrimSpace(added.stdout)
	require.Regexp(t, `^biz_\w{22}$`, id)
	require.Regexp(t, `(?m)^`+id+` +dev +globex$`, command(t, folder, nil, "businesses", "list").stdout)
	var entries []map[string]any
	require.NoError(t, json.Unmarshal([]byte(command(t, folder, nil, "businesses", "list", "-json").stdout), &entries))
	require.Equal(t, map[string]any{"id": id, "tenant": "dev", "external_id": "globex"}, entries[1])
	require.Zero(t, command(t, folder, nil, "issue", "-external-business", "globex").code)

	requireFailure(t, command(t, folder, nil, "businesses", "add", "globex"), "already")
	require.Zero(t, command(t, folder, nil, "clients", "add", "confined", "-business", id).code)
	requireFailure(t, command(t, folder, nil, "businesses", "remove", "globex"), `"confined"`)
	require.Zero(t, command(t, folder, nil, "clients", "remove", "confined").code)
	require.Zero(t, command(t, folder, nil, "businesses", "remove", "globex").code)
	require.NotContains(t, command(t, folder, nil, "businesses", "list").stdout, "globex")

	require.Zero(t, command(t, folder, nil, "businesses", "add", "acme", "-tenant", "other").code)
	ambiguous := command(t, folder, nil, "businesses", "remove", "acme")
	require.Equal(t, 2, ambiguous.code)
	require.Contains(t, ambiguous.stderr, "-tenant")
	require.Equal(t, 2, command(t, folder, nil, "clients", "add", "x").code, "two tenants: one must be named")
}

// Many processes add clients at once, and no client is lost.
func TestClientsAddedAtOnce(t *testing.T) {
	folder := installed(t)
	const adding = 8
	codes := make(chan result, adding)
	for n := range adding {
		go func() { codes <- command(t, folder, nil, "clients", "add", "client"+string(rune('a'+n))) }()
	}
	for range adding {
		got := <-codes
		require.Zero(t, got.code, got.stderr)
	}
	require.Equal(t, adding, strings.Count(command(t, folder, nil, "clients", "list").stdout, "client"))
}
