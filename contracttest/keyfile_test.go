package contracttest

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/magiclink-go/magiclink"
)

func keyFile(tb testing.TB, jwks []byte) string {
	tb.Helper()
	path := filepath.Join(tb.TempDir(), "keys.json")
	require.NoError(tb, os.WriteFile(path, jwks, 0o600))
	return path
}

func signWith(keys *magiclink.Keyring) error {
	_, err := keys.SignAccessToken(magiclink.AccessToken{
		Issuer: issuer, Audience: []string{audience}, Subject: "x", ClientID: "x", ID: "x", IssuedAt: noon,
		ExpiresAt: noon.AddDate(0, 0, 1),
	})
	return err
}
