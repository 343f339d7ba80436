package main_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"
)

// history is what links show prints as JSON with an audit log.
type history struct {
	ID     string           `json:"magic_link_id"`
	State  string           `json:"state"`
	Events []map[string]any `json:"events"`
}

func historyOf(t *testing.T, got result) (h history) {
	t.Helper()
	require.Zero(t, got.code, got.stderr)
	require.NoError(t, json.Unmarshal([]byte(got.stdout), &h), got.stdout)
	return h
}

// A running serve writes what happens to a link, and links show tells it, also when the store has forgotten the link.
func TestHistoryOfALink(t *testing.T) {
	folder := t.TempDir()
	path := dataFile(folder, "audit.log")
	p := serve(t, folder, testClient, "-audit", path)
	made := p.issue(p.token(), acme)
	require.Equal(t, http.StatusCreated, p.issue(p.token(), acme).status, "another link")
	_, data := p.redeemed(t, made.body)
	var body struct{ Data map[string]any }
	require.NoError(t, json.Unmarshal([]byte(made.body), &body))
	again := p.post("/v0/auth/magic-link/redeem", `{"token":"`+body.Data["magic_link"].(string)+`"}`, nil)
	require.Equal(t, http.StatusGone, again.status)
	id := data["magic_link_id"].(string)
	require.Zero(t, command(t, folder, []string{"MAGICLINK_AUDIT=" + path}, "sessions", "end", id).code)

	got := historyOf(t, command(t, folder, nil, "links", "show", "-audit", path, "-json", id))
	require.Equal(t, []any{id, "revoked"}, []any{got.ID, got.State})
	require.Equal(t, []string{"client:crm issue", "redeem", "grant", "redeem consumed", "cli get", "cli end"}, brief(got.Events))
	shown := command(t, folder, nil, "links", "show", "-audit", path, id).stdout
	require.Contains(t, shown, "\nFrom the audit log:\n")
	var lines []string
	for line := range strings.Lines(shown[strings.Index(shown, "From the audit log:\n")+20:]) {
		lines = append(lines, strings.Join(strings.Fields(line)[2:], " "))
	}
	require.Equal(t, []string{
		"issued client:crm", "used -", "session granted -", "refused: consumed -", "looked at cli", "session ended cli", "looked at cli",
	}, lines)

	require.Zero(t, p.stop(syscall.SIGTERM))
	for _, part := range []string{"", "-wal", "-shm"} {
		require.NoError(t, os.RemoveAll(dataFile(folder, "magiclink.db"+part)))
	}
	got = historyOf(t, command(t, folder, nil, "links", "show", "-audit", path, "-json", id))
	require.Equal(t, []any{id, ""}, []any{got.ID, got.State})
	require.Len(t, got.Events, 8)
	shown = command(t, folder, nil, "links", "show", "-audit", path, id).stdout
	require.Contains(t, shown, "was removed since")
	require.Contains(t, shown, "refused: consumed")
	requireFailure(t, command(t, folder, nil, "links", "show", "-audit", path, "mlk_2222222222222222222222"), "there is no such link")
}

// A log that is torn, hostile or very long is read as far as it says something of the link.
func TestHistoryOfADamagedLog(t *testing.T) {
	folder := installed(t)
	require.Zero(t, command(t, folder, nil, "issue", "-external-business", "acme").code)
	id := linkIDs(t, folder)[0].(string)
	line := func(n int, actor string) string {
		return fmt.Sprintf(`{"at":"2026-01-02T03:04:05Z","op":"redeem","reason":"expired","actor":%q,"link_id":"%s","count":%d}`, actor, id, n)
	}
	path := filepath.Join(t.TempDir(), "audit.log")
	show := func(text string, args ...string) result {
		require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
		return command(t, folder, nil, append([]string{"links", "show", "-audit", path, id}, args...)...)
	}
	torn := `{"at":"2026-01-02T03:04:05Z","op":"redeem","link_id":"` + id + `"`
	for name, tt := range map[string]struct {
		text string
		want int
		says string
	}{
		"empty":                   {"", 0, ""},
		"torn at the end":         {line(1, "") + "\n" + torn, 1, ""},
		"no line feed at the end": {line(1, "") + "\n" + line(2, ""), 2, ""},
		"torn in the middle":      {torn + "\n" + line(1, "") + "\n", 1, "1 line of the audit log"},
		"an endless line":         {line(1, "") + "\n" + strings.Repeat("x", 1<<20) + line(2, "") + "\n" + line(3, "") + "\n", 2, ""},
		"the id elsewhere":        {`{"op":"redeem","actor":"` + id + `","link_id":"mlk_2222222222222222222222"}` + "\n", 0, ""},
		"not an object":           {`["` + id + `"]` + "\n" + `"` + id + `"` + "\n" + line(1, "") + "\n", 1, "2 lines of the audit log"},
		"binary":                  {"\x00\xff\n\n\n" + line(1, "") + "\n", 1, ""},
	} {
		t.Run(name, func(t *testing.T) {
			got := show(tt.text, "-json")
			require.Len(t, historyOf(t, got).Events, tt.want)
			require.Contains(t, got.stderr, tt.says)
			require.Equal(t, tt.says == "", got.stderr == "", got.stderr)
		})
	}
	require.Contains(t, show("").stdout, "The audit log says nothing of this link.")
	shown := show(line(1, "\x1b[31m\u202e") + "\n").stdout
	require.NotContains(t, shown, "\x1b")
	require.NotContains(t, shown, "\u202e")

	var many strings.Builder
	for n := range 100_000 {
		many.WriteString(line(n, "") + "\n")
	}
	got := historyOf(t, show(many.String(), "-json")).Events
	require.Len(t, got, 200)
	require.Equal(t, []any{0.0, 99.0, 99_900.0, 99_999.0}, []any{got[0]["count"], got[99]["count"], got[100]["count"], got[199]["count"]})
	require.Contains(t, show(many.String()).stdout, "99800 events left out; the file has them")
}

func TestHistoryWithoutALog(t *testing.T) {
	folder := installed(t)
	require.Zero(t, command(t, folder, nil, "issue", "-external-business", "acme").code)
	id := linkIDs(t, folder)[0].(string)
	missing := filepath.Join(t.TempDir(), "audit.log")
	requireFailure(t, command(t, folder, nil, "links", "show", "-audit", missing, id), "there is no audit log "+missing)
	require.NoFileExists(t, missing)
	requireFailure(t, command(t, folder, nil, "links", "show", "-audit", t.TempDir(), id), "is not a file")
	require.NotContains(t, command(t, folder, nil, "links", "show", "-audit", "-", id).stdout, "audit log:", "standard error cannot be read")
	require.NotContains(t, command(t, folder, nil, "links", "show", id, "-json").stdout, "events")
}
