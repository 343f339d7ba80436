package main_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// The command shows and resets over the API of a server what it shows and resets beside its store.
func TestLimitsOfAServer(t *testing.T) {
	folder, elsewhere := t.TempDir(), t.TempDir()
	rates := []string{"MAGICLINK_LIMIT_SUBJECT=2/1h", "MAGICLINK_LIMIT_BUSINESS=3/1h", "MAGICLINK_LIMIT_TENANT=100/1h"}
	p := serve(t, folder, append(rates, testClient...))
	env := append([]string{"MAGICLINK_SERVER=" + p.origin}, testClient...)
	remote := func(args ...string) result { return command(t, elsewhere, env, append([]string{"limits"}, args...)...) }
	show := func(args ...string) []map[string]any {
		return rows(t, remote(append([]string{"show", "-json"}, args...)...))
	}
	token := p.token()
	for range 2 {
		require.Equal(t, http.StatusCreated, p.issue(token, acme).status)
		require.Equal(t, http.StatusCreated, p.issue(token, `{"external_business_id":"acme"}`).status)
	}
	requireLimited(t, p.issue(token, acme))

	for range 2 { // to look takes nothing
		far, local := show("-email", "jane@EXAMPLE.com"), rows(t, command(t, folder, rates, "limits", "show", "-json", "-email", "jane@example.com"))
		require.Equal(t, []any{0.0, 96.0}, members(far, "left"))
		for _, member := range []string{"rate", "left", "full_at"} {
			require.Equal(t, members(local, member), members(far, member), member)
		}
		require.InDelta(t, local[0]["retry_after"], far[0]["retry_after"], 60)
		require.Equal(t, []any{nil, nil}, members(far, "key"), "a server does not tell it")
		require.Equal(t, []any{1.0, 96.0}, members(show("-external-business", "acme"), "left"))
		require.Equal(t, []any{96.0}, members(show(), "left"), "of the tenant")
	}
	require.Equal(t, []any{2.0, 96.0}, members(show("-email", "john@example.com"), "left"))
	table := remote("show", "-email", "jane@example.com")
	require.Regexp(t, `(?m)^links for jane@example.com +2/1h +0 +in \S+ +\S+Z +-$`, table.stdout, table.stderr)
	require.Regexp(t, `(?m)^links of the tenant +100/1h +96 +now +\S+Z +-$`, table.stdout)

	require.Equal(t, "reset the limit of the links for jane@example.com\n", remote("reset", "-email", "jane@example.com").stdout)
	require.Equal(t, http.StatusCreated, p.issue(token, acme).status)
	require.JSONEq(t, `{"limit":"links for acme without an address","key":null}`, remote("reset", "-external-business", "acme", "-json").stdout)
	require.Equal(t, []any{3.0, 95.0}, members(show("-external-business", "acme"), "left"), "that of the tenant was not reset")
	requireFailure(t, remote("show", "-external-business", "nobody"), "there is no such limit for this client")
	requireFailure(t, remote("reset", "-external-business", "nobody"), "there is no such limit for this client")
	requireFailure(t, remote("show", "-email", "jane"), "422")
}

// A server without limits has none to show.
func TestLimitsOfAServerThatHasNone(t *testing.T) {
	p := serve(t, t.TempDir(), testClient, "-limit-subject", "off")
	got := command(t, t.TempDir(), append([]string{"MAGICLINK_SERVER=" + p.origin}, testClient...), "limits", "show", "-email", "jane@example.com")
	require.Zero(t, got.code, got.stderr)
	require.Empty(t, got.stdout)
	require.Equal(t, "The server has no limit for these links.", strings.TrimSpace(got.stderr))
}
