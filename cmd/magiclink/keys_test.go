package main_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/magiclink-go/magiclink"
)

func signingKey(t *testing.T, folder string) string {
	t.Helper()
	got := command(t, folder, nil, "keys", "list")
	require.Zero(t, got.code, got.stderr)
	return regexp.MustCompile(`(?m)^(key_\S+) +EdDSA +signs`).FindStringSubmatch(got.stdout)[1]
}

// changeKeys runs a command that prints the id of a key.
func changeKeys(t *testing.T, folder string, args ...string) (id string) {
	t.Helper()
	got := command(t, folder, nil, append([]string{"keys"}, args...)...)
	require.Zero(t, got.code, got.stderr)
	return strings.TrimSpace(got.stdout)
}

// age makes a key look as if it had been made at another time: the id of a key begins with that time.
func age(t *testing.T, folder, kid string, made time.Time) (aged string) {
	t.Helper()
	aged = strings.Replace(magiclink.NewBusinessID(made), "biz_", "key_", 1)
	editKeys(t, folder, kid, aged)
	return aged
}

// editKeys replaces a text in the key file.
func editKeys(t *testing.T, folder, old, replacement string) {
	t.Helper()
	path := dataFile(folder, "keys.json")
	text, err := os.ReadFile(path)
	require.NoError(t, err)
	require.Contains(t, string(text), old)
	require.NoError(t, os.WriteFile(path, []byte(strings.ReplaceAll(string(text), old, replacement)), 0o600))
}

// listedKey is what "keys list -json" says of a key.
type listedKey struct {
	KID, Algorithm, Use string
	CreatedAt           *time.Time `json:"created_at"`
	StoppedAt           *time.Time `json:"stopped_at"`
	RetireAfter         *time.Time `json:"retire_after"`
}

func listKeys(t *testing.T, folder string) (keys []listedKey) {
	t.Helper()
	got := command(t, folder, nil, "keys", "list", "-json")
	require.NoError(t, json.Unmarshal([]byte(got.stdout), &keys), got.stderr)
	return keys
}

func TestPrepareAndRotate(t *testing.T) {
	folder := installed(t)
	first := signingKey(t, folder)
	requireFailure(t, command(t, folder, nil, "keys", "rotate"), `"magiclink keys prepare"`)

	prepared := changeKeys(t, folder, "prepare")
	require.Equal(t, first, signingKey(t, folder), "a prepared key does not sign")
	require.Contains(t, command(t, folder, nil, "keys", "jwks").stdout, prepared, "and is published")
	requireFailure(t, command(t, folder, nil, "keys", "prepare"), prepared)
	requireFailure(t, command(t, folder, nil, "keys", "rotate"), "run this again in 1m")
	require.Equal(t, first, signingKey(t, folder))

	prepared = age(t, folder, prepared, time.Now().Add(-59*time.Second))
	requireFailure(t, command(t, folder, nil, "keys", "rotate"), "run this again in")
	prepared = age(t, folder, prepared, time.Now().Add(-63*time.Second))
	require.Equal(t, prepared, changeKeys(t, folder, "rotate"))
	require.Equal(t, prepared, signingKey(t, folder))

	keys := listKeys(t, folder)
	require.Equal(t, []string{"signs", "verifies"}, []string{keys[0].Use, keys[1].Use})
	require.Equal(t, first, keys[1].KID)
	require.WithinDuration(t, time.Now(), *keys[1].StoppedAt, time.Minute)
	require.Equal(t, keys[1].StoppedAt.Add(92*24*time.Hour+time.Minute), *keys[1].RetireAfter)
}

func TestRotateByForce(t *testing.T) {
	folder := installed(t)
	first := signingKey(t, folder)
	forced := changeKeys(t, folder, "rotate", "-force")
	require.Equal(t, forced, signingKey(t, folder), "a new key without a prepared one")
	require.NotEqual(t, first, forced)
	prepared := changeKeys(t, folder, "prepare")
	require.Equal(t, prepared, changeKeys(t, folder, "rotate", "-force"), "the prepared key, however young")
}

func TestRetire(t *testing.T) {
	folder := installed(t)
	old := signingKey(t, folder)
	changeKeys(t, folder, "rotate", "-force")
	for _, tt := range []struct {
		stopped time.Duration // ago
		says    []string
		hides   string
	}{
		{0, []string{"links until", "access tokens until", "sessions until", "-force"}, "\x00"},
		{time.Hour, []string{"access tokens until", "sessions until"}, "links until"},
		{48 * time.Hour, []string{"sessions until"}, "access tokens"},
		{91 * 24 * time.Hour, []string{"sessions until"}, "access tokens"},
	} {
		stoppedAgo(t, folder, tt.stopped)
		got := command(t, folder, nil, "keys", "retire", old)
		for _, says := range tt.says {
			requireFailure(t, got, says)
		}
		require.NotContains(t, got.stderr, tt.hides)
	}
	stoppedAgo(t, folder, 92*24*time.Hour+2*time.Minute)
	require.Zero(t, command(t, folder, nil, "keys", "retire", old).code)
	require.Len(t, listKeys(t, folder), 1)
}

var signedUntil = regexp.MustCompile(`"magiclink_signed_until": ?\d+`)

// stoppedAgo makes the key file say that its old key stopped signing some time ago.
func stoppedAgo(t *testing.T, folder string, ago time.Duration) {
	t.Helper()
	path := dataFile(folder, "keys.json")
	text, err := os.ReadFile(path)
	require.NoError(t, err)
	require.Regexp(t, signedUntil, string(text))
	edited := fmt.Sprintf(`"magiclink_signed_until": %d`, time.Now().Add(-ago).Unix())
	require.NoError(t, os.WriteFile(path, signedUntil.ReplaceAll(text, []byte(edited)), 0o600))
}

func TestRetireByForce(t *testing.T) {
	folder := installed(t)
	old := signingKey(t, folder)
	changeKeys(t, folder, "rotate", "-force")
	require.Zero(t, command(t, folder, nil, "keys", "retire", old, "-force").code)
	require.Len(t, listKeys(t, folder), 1)
	prepared := changeKeys(t, folder, "prepare")
	require.Zero(t, command(t, folder, nil, "keys", "retire", prepared).code, "a prepared key has signed nothing")
}

func TestKeysAreFollowedByARunningServe(t *testing.T) {
	folder := installed(t)
	p := serve(t, folder, testClient)
	token := p.token()
	old := signingKey(t, folder)
	newKey := changeKeys(t, folder, "rotate", "-force")

	p.eventually(func() bool { return strings.Contains(p.get("/.well-known/jwks.json").body, newKey) }, "the new key is published")
	require.Equal(t, http.StatusCreated, p.issue(token, acme).status, "the old key still verifies")
	require.Zero(t, command(t, folder, nil, "keys", "retire", old, "-force").code)
	p.eventually(func() bool { return p.issue(token, acme).status == http.StatusUnauthorized }, "the old key is gone")

	jwks := command(t, folder, nil, "keys", "jwks")
	require.Contains(t, jwks.stdout, newKey)
	require.NotContains(t, jwks.stdout, old)
	require.NotContains(t, jwks.stdout, `"d"`)
}

// A link that a rotated key has signed works at once: serve looks at the file when it meets an unknown key.
func TestNoGapAfterARotation(t *testing.T) {
	folder := installed(t)
	p := serve(t, folder, testClient)
	base := p.origin + "/magic"
	for range 5 {
		changeKeys(t, folder, "rotate", "-force")
		link := issued(t, folder, "-base-url", base)
		require.Equal(t, http.StatusOK, p.get(strings.TrimPrefix(link, p.origin)).status)
		changeKeys(t, folder, "rotate", "-force")
		body := `{"token":"` + bareToken(issued(t, folder, "-base-url", base)) + `"}`
		redeemed := p.send(http.MethodPost, "/v0/auth/magic-link/redeem", body, "Content-Type", "application/json")
		require.Equal(t, http.StatusOK, redeemed.status, redeemed.body)
	}
}

func TestRotateEvery(t *testing.T) {
	folder := installed(t)
	first := age(t, folder, signingKey(t, folder), time.Now().Add(-50*time.Minute))
	p := serve(t, folder, testClient, "-rotate-every", "1h")
	p.eventually(func() bool { return len(listKeys(t, folder)) == 2 }, "it prepares the next key")
	keys := listKeys(t, folder)
	require.Equal(t, first, keys[0].KID)
	require.Equal(t, "prepared", keys[1].Use)
	prepared := keys[1].KID
	p.stop(syscall.SIGINT)

	first = age(t, folder, first, time.Now().Add(-61*time.Minute))
	prepared = age(t, folder, prepared, time.Now().Add(-10*time.Minute))
	p = serve(t, folder, testClient, "-rotate-every", "1h")
	p.eventually(func() bool { return signingKey(t, folder) == prepared }, "it lets the prepared key sign")
	require.Len(t, listKeys(t, folder), 2, "the old key is kept")
	p.eventually(func() bool { return strings.Contains(p.errors(), "rotated the keys") }, "it says so")
	p.stop(syscall.SIGINT)

	stoppedAgo(t, folder, 93*24*time.Hour)
	p = serve(t, folder, testClient, "-rotate-every", "1h")
	p.eventually(func() bool { return !strings.Contains(command(t, folder, nil, "keys", "list").stdout, first) }, "it retires the old key")
	require.Equal(t, prepared, signingKey(t, folder))
}
