package magiclink_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/magiclink-go/magiclink"
)

// A token that was verified before is judged like one that was not.
func TestTokensSeenBeforeAreJudgedAnew(t *testing.T) {
	keys, err := magiclink.GenerateKeyring(magiclink.EdDSA)
	require.NoError(t, err)
	now := time.Date(2026, 5, 1, 12, 0, 0, 0, time.UTC)
	token, err := keys.SignAccessToken(magiclink.AccessToken{
		Issuer: "iss", Audience: []string{"api"}, Subject: "c", ClientID: "c", ID: "act_1", Scopes: []string{"auth:create"},
		IssuedAt: now, ExpiresAt: now.Add(time.Hour),
	})
	require.NoError(t, err)
	good := magiclink.AccessTokenCheck{Issuer: "iss", Audience: "api", Now: now}
	for range 3 {
		seen, err := keys.VerifyAccessToken(token, good)
		require.NoError(t, err)
		require.Equal(t, []string{"api"}, seen.Audience)
		seen.Audience[0] = "changed by the caller"
		seen.Scopes[0] = "changed by the caller"
	}
	for name, check := range map[string]magiclink.AccessTokenCheck{
		"expired":          {Issuer: "iss", Audience: "api", Now: now.Add(time.Hour)},
		"another audience": {Issuer: "iss", Audience: "other", Now: now},
		"another issuer":   {Issuer: "other", Audience: "api", Now: now},
	} {
		_, err := keys.VerifyAccessToken(token, check)
		require.ErrorIs(t, err, magiclink.ErrInvalidToken, name)
	}
	_, err = keys.VerifyAccessToken(token[:len(token)-4]+"AAAA", good)
	require.ErrorIs(t, err, magiclink.ErrInvalidToken)

	old := keys.Keys()[0].ID
	_, err = keys.Rotate()
	require.NoError(t, err)
	_, err = keys.VerifyAccessToken(token, good)
	require.NoError(t, err, "the control: a rotated key still verifies")
	require.NoError(t, keys.Retire(old))
	_, err = keys.VerifyAccessToken(token, good)
	require.ErrorIs(t, err, magiclink.ErrInvalidToken, "a retired key does not")
}

// More tokens than are remembered push each other out, and each stays what it is.
func TestManyTokens(t *testing.T) {
	keys, err := magiclink.NewKeyring(randomBytes(32))
	require.NoError(t, err)
	now := time.Date(2026, 5, 1, 12, 0, 0, 0, time.UTC)
	check := magiclink.AccessTokenCheck{Issuer: "iss", Audience: "api", Now: now}
	tokens := make([]string, 5000)
	for n := range tokens {
		tokens[n], err = keys.SignAccessToken(magiclink.AccessToken{
			Issuer: "iss", Audience: []string{"api"}, Subject: "c", ClientID: "c", ID: fmt.Sprint(n),
			IssuedAt: now, ExpiresAt: now.Add(time.Hour),
		})
		require.NoError(t, err)
	}
	for range 2 {
		for n, token := range tokens {
			seen, err := keys.VerifyAccessToken(token, check)
			require.NoError(t, err)
			require.Equal(t, fmt.Sprint(n), seen.ID)
		}
	}
}
