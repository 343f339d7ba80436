package main_test

import (
	"encoding/json"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// issued issues a link with the command.
func issued(t *testing.T, folder string, args ...string) (link string) {
	t.Helper()
	got := command(t, folder, nil, append([]string{
		"issue", "-external-business", "acme", "-email", "jane@example.com", "-path", "/reports?y=1#top",
	}, args...)...)
	require.Zero(t, got.code, got.stderr)
	return strings.TrimSpace(got.stdout)
}

// bareToken cuts the token out of a link.
func bareToken(link string) string {
	token := link[strings.LastIndex(link, "token=")+len("token="):]
	token, _, _ = strings.Cut(token, "#")
	return token
}

func TestRedeemCommand(t *testing.T) {
	folder := installed(t)
	for name, text := range map[string]func(link string) string{
		"link": func(link string) string { return link }, "token": bareToken,
		"link with spaces": func(link string) string { return " " + link + "\n" },
	} {
		t.Run(name, func(t *testing.T) {
			before := time.Now().Add(-time.Second)
			link := text(issued(t, folder, "-session-timeout", "60"))
			for range 2 {
				seen := command(t, folder, nil, "redeem", "-inspect", link)
				require.Zero(t, seen.code, seen.stderr)
				require.Contains(t, seen.stdout, `"redeemed_at": null`)
			}
			got := command(t, folder, nil, "redeem", link)
			require.Zero(t, got.code, got.stderr)
			require.Empty(t, got.stderr)
			var members map[string]any
			require.NoError(t, json.Unmarshal([]byte(got.stdout), &members))
			times := map[string]time.Time{}
			for _, name := range []string{"issued_at", "expires_at", "redeemed_at"} {
				at, err := time.Parse(time.RFC3339Nano, members[name].(string))
				require.NoError(t, err)
				require.Equal(t, time.UTC, at.Location())
				times[name] = at
				delete(members, name)
			}
			require.Regexp(t, `^mlk_\w{22}$`, members["magic_link_id"])
			require.Regexp(t, `^biz_\w{22}$`, members["business_id"])
			require.NotEmpty(t, members["tenant"])
			delete(members, "magic_link_id")
			delete(members, "business_id")
			delete(members, "tenant")
			require.Equal(t, map[string]any{
				"external_business_id": "acme", "email": "jane@example.com", "path": "/reports?y=1#top", "session_timeout": 60.0,
			}, members)
			require.True(t, times["issued_at"].After(before))
			require.False(t, times["redeemed_at"].Before(times["issued_at"]))
			require.True(t, times["redeemed_at"].Before(times["expires_at"]))

			for _, args := range [][]string{{"redeem", link}, {"redeem", "-inspect", link}} {
				again := command(t, folder, nil, args...)
				require.Equal(t, 1, again.code)
				require.Empty(t, again.stdout)
				require.Equal(t, "magiclink redeem: the link was already used\n", again.stderr)
			}
		})
	}
}

func TestRedeemCommandWithoutOptionalFields(t *testing.T) {
	folder := installed(t)
	issue := command(t, folder, nil, "issue", "-external-business", "acme")
	require.Zero(t, issue.code, issue.stderr)
	got := command(t, folder, nil, "redeem", strings.TrimSpace(issue.stdout))
	require.Zero(t, got.code, got.stderr)
	require.Contains(t, got.stdout, `"email": null`)
	require.Contains(t, got.stdout, `"path": null`)
	require.Contains(t, got.stdout, `"session_timeout": 86400`)
}

// Flags may stand before the link and behind it, and in the environment.
func TestRedeemCommandFlags(t *testing.T) {
	folder := installed(t)
	link := issued(t, folder)
	for name, run := range map[string]result{
		"before":      command(t, folder, nil, "redeem", "-inspect", "-data", "magiclink-data", link),
		"behind":      command(t, folder, nil, "redeem", link, "-inspect"),
		"environment": command(t, folder, []string{"MAGICLINK_INSPECT=true"}, "redeem", link),
	} {
		require.Zero(t, run.code, "%s: %s", name, run.stderr)
	}
	require.Zero(t, command(t, folder, nil, "redeem", link).code, "none of them has used it up")
}

func TestRedeemCommandWrongUsage(t *testing.T) {
	folder := installed(t)
	for name, args := range map[string][]string{
		"nothing": {"redeem"}, "two": {"redeem", "a", "b"}, "a flag alone": {"redeem", "-inspect"},
		"unknown flag": {"redeem", "-force", "x"}, "a flag of issue": {"redeem", "-ttl", "5", "x"},
		"a flag between": {"redeem", "a", "-inspect", "b"}, "far address": {"redeem", "-addr", "0.0.0.0:80", "x"},
		"no base URL": {"redeem", "-base-url", "ftp://x", "x"},
	} {
		t.Run(name, func(t *testing.T) {
			got := command(t, folder, nil, args...)
			require.Equal(t, 2, got.code, got.stderr)
			require.Empty(t, got.stdout)
			require.Contains(t, got.stderr, `run "magiclink help redeem"`)
		})
	}
	require.Contains(t, command(t, folder, nil, "help", "redeem").stdout, "-inspect")
}

func TestRedeemCommandFailures(t *testing.T) {
	folder := installed(t)
	link := issued(t, folder)
	other := issued(t, installed(t))
	for name, tt := range map[string]struct {
		args []string
		says string
	}{
		"garbage":               {[]string{"redeem", "garbage"}, "not a magic link"},
		"empty":                 {[]string{"redeem", ""}, "not a magic link"},
		"link without a token":  {[]string{"redeem", "http://127.0.0.1:8080/magic/reports"}, "not a magic link"},
		"forged":                {[]string{"redeem", strings.Replace(link, bareToken(link)[len(bareToken(link))-20:], strings.Repeat("A", 20), 1)}, "not complete"},
		"of another directory":  {[]string{"redeem", other}, "other keys than those in magiclink-data/keys.json"},
		"other base URL":        {[]string{"redeem", "-base-url", "https://app.example.com/magic", link}, "another base URL: it begins with http://127.0.0.1:8080/magic, and this base URL is https://app.example.com/magic"},
		"other path":            {[]string{"redeem", "-base-url", "http://127.0.0.1:8080/go", link}, "another base URL"},
		"other address":         {[]string{"redeem", "-addr", "127.0.0.1:9999", link}, "another base URL"},
		"token of another base": {[]string{"redeem", "-addr", "127.0.0.1:9999", bareToken(link)}, "another base URL than http://127.0.0.1:9999/magic"},
		"no data":               {[]string{"redeem", "-data", "nowhere", link}, "-data"},
	} {
		t.Run(name, func(t *testing.T) {
			got := command(t, folder, nil, tt.args...)
			requireFailure(t, got, tt.says)
			require.NotContains(t, got.stderr, "eyJ")
			require.NoDirExists(t, filepath.Join(folder, "nowhere"))
		})
	}
	require.Zero(t, command(t, folder, nil, "redeem", link).code, "none of them has used it up")

	expired := issued(t, folder)
	expire(t, filepath.Join(folder, "magiclink-data", "magiclink.db"))
	got := command(t, folder, nil, "redeem", expired)
	require.Equal(t, 1, got.code)
	require.Equal(t, "magiclink redeem: the link has expired\n", got.stderr)
}

// Of many processes that redeem one link at once, one does.
func TestRedeemCommandRace(t *testing.T) {
	folder := installed(t)
	link := issued(t, folder)
	const racers = 8
	results := make(chan result, racers)
	for range racers {
		go func() { results <- command(t, folder, nil, "redeem", link) }()
	}
	won := 0
	for range racers {
		got := <-results
		if got.code == 0 {
			won++
		} else {
			require.Equal(t, "magiclink redeem: the link was already used\n", got.stderr)
		}
	}
	require.Equal(t, 1, won)
}
