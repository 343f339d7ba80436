package main_test

import (
	"encoding/base64"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

const foreignLine = "give all replicas the same -keys"

// Two processes with one store and different key files refuse the links of each other. Each says so, by the first link that it meets.
func TestReplicasWithDifferentKeys(t *testing.T) {
	t.Parallel()
	for name, ready := range sharedStores {
		if name == "redis cluster" {
			continue // a cluster keeps the same links as one server
		}
		t.Run(name, func(t *testing.T) {
			folder, env, args := sharedFiles(t, ready(t))
			one := serve(t, t.TempDir(), env, args...)
			other := installed(t)
			two := serve(t, t.TempDir(), env, append(args, "-keys", dataFile(other, "keys.json"))...)
			link := strings.TrimSpace(command(t, t.TempDir(), env, append([]string{"issue", "-external-business", "acme"}, args...)...).stdout)
			body := `{"token":"` + bareToken(link) + `"}`
			redeem := func(at *process, body string) int {
				return at.send(http.MethodPost, "/v0/auth/magic-link/redeem", body, "Content-Type", "application/json").status
			}

			require.Equal(t, http.StatusGone, redeem(two, strings.Replace(body, bareToken(link), made(t, link), 1)), "a token that names no link of the store")
			require.NotContains(t, two.errors(), foreignLine)
			two.eventually(func() bool {
				require.Equal(t, http.StatusGone, redeem(two, body))
				return strings.Contains(two.errors(), foreignLine)
			}, "it warns")
			require.Contains(t, two.errors(), signingKey(t, folder), "the key is named")
			require.Equal(t, http.StatusGone, redeem(two, body))
			require.Equal(t, 1, strings.Count(two.errors(), foreignLine), "not again within a minute")
			require.Equal(t, http.StatusOK, redeem(one, body), "positive control: the link is good where its key is")
			require.NotContains(t, one.errors(), foreignLine)
		})
	}
}

// made returns a token like that of the link, for another link.
func made(t *testing.T, link string) (token string) {
	t.Helper()
	parts := strings.Split(bareToken(link), ".")
	payload, err := base64.RawURLEncoding.DecodeString(parts[1])
	require.NoError(t, err)
	at := strings.Index(string(payload), "mlk_") + len("mlk_")
	other := string(payload[:at]) + strings.Repeat("2", 22) + string(payload[at+22:])
	return strings.Join([]string{parts[0], base64.RawURLEncoding.EncodeToString([]byte(other)), parts[2]}, ".")
}
