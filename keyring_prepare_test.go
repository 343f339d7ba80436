package magiclink_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/magiclink-go/magiclink"
)

// A prepared key is published and verifies, signs after Rotate, and the key before keeps verifying until it is retired.
func TestPrepareRotateRetire(t *testing.T) {
	for _, algorithm := range algorithms {
		t.Run(string(algorithm), func(t *testing.T) {
			keys := generate(t, algorithm)
			first := keys.Keys()[0].ID
			second, err := keys.Prepare()
			require.NoError(t, err)
			again, err := keys.Prepare()
			require.NoError(t, err)
			require.Equal(t, second, again, "preparing twice prepares one key")
			require.Equal(t, []string{first, second}, idsOf(keys))
			requireStates(t, keys, "active", "prepared")
			oldToken := sign(t, keys)
			require.Equal(t, first, part(t, oldToken, 0)["kid"], "the prepared key does not sign")
			require.Equal(t, algorithm, keys.Keys()[1].Algorithm)

			verifier := verifierOf(t, keys) // as it was before the rotation
			rotated, err := keys.Rotate()
			require.NoError(t, err)
			require.Equal(t, second, rotated)
			require.Equal(t, []string{second, first}, idsOf(keys))
			requireStates(t, keys, "active", "verifies")
			newToken := sign(t, keys)
			require.Equal(t, second, part(t, newToken, 0)["kid"])
			require.NoError(t, verify(keys, oldToken))
			require.NoError(t, verify(verifier, newToken), "a verifier that has the published keys needs no reload")

			require.ErrorContains(t, keys.Retire(second), "rotate first")
			require.NoError(t, keys.Retire(first))
			require.ErrorIs(t, verify(keys, oldToken), magiclink.ErrInvalidToken)
			require.NoError(t, verify(keys, newToken))
		})
	}
}

// verifierOf is a ring with what another process has: the JWK set, or for a secret the file.
func verifierOf(t *testing.T, keys *magiclink.Keyring) *magiclink.Keyring {
	t.Helper()
	set, err := keys.PublicJWKS()
	require.NoError(t, err)
	if keys.Keys()[0].Algorithm == magiclink.HS256 {
		return reloaded(t, keys)
	}
	require.NotContains(t, string(set), "magiclink_", "the published set has no marks of ours")
	verifier, err := magiclink.ParseKeyring(set)
	require.NoError(t, err)
	require.Equal(t, idsOf(keys), idsOf(verifier))
	requireStates(t, verifier, "verifies", "verifies")
	return verifier
}

// reloaded is the ring that another process loads from the file.
func reloaded(t *testing.T, keys *magiclink.Keyring) *magiclink.Keyring {
	t.Helper()
	path := filepath.Join(t.TempDir(), "keys.json")
	require.NoError(t, keys.Save(path))
	loaded, err := magiclink.LoadKeyring(path)
	require.NoError(t, err)
	require.Equal(t, keys.Keys(), loaded.Keys())
	return loaded
}

func requireStates(t *testing.T, keys *magiclink.Keyring, want ...string) {
	t.Helper()
	var states []string
	for _, info := range keys.Keys() {
		switch {
		case info.Active && info.Prepared:
			states = append(states, "both")
		case info.Active:
			states = append(states, "active")
		case info.Prepared:
			states = append(states, "prepared")
		default:
			states = append(states, "verifies")
		}
	}
	require.Equal(t, want, states)
}

// The states survive the file, in which the first key signs.
func TestPreparedKeyInTheFile(t *testing.T) {
	for _, algorithm := range algorithms {
		t.Run(string(algorithm), func(t *testing.T) {
			keys := generate(t, algorithm)
			_, err := keys.Rotate()
			require.NoError(t, err)
			prepared, err := keys.Prepare()
			require.NoError(t, err)
			loaded := reloaded(t, keys)
			requireStates(t, loaded, "active", "prepared", "verifies")
			rotated, err := loaded.Rotate()
			require.NoError(t, err)
			require.Equal(t, prepared, rotated, "the private part was in the file")
			require.NoError(t, verify(keys, sign(t, loaded)), "this process has the prepared key, too")
			requireStates(t, reloaded(t, loaded), "active", "verifies", "verifies")
		})
	}
}

func TestPreparedKeyIsMarkedInTheFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "keys.json")
	keys := generate(t, magiclink.EdDSA)
	_, err := keys.Rotate()
	require.NoError(t, err)
	_, err = keys.Prepare()
	require.NoError(t, err)
	require.NoError(t, keys.Save(path))
	set := readSet(t, path)
	require.Equal(t, []any{nil, "prepared", nil}, []any{set[0]["magiclink_state"], set[1]["magiclink_state"], set[2]["magiclink_state"]})
	require.Contains(t, set[1], "d")
	require.NotContains(t, set[2], "d")
	require.NotNil(t, set[2]["magiclink_signed_until"])
}

func TestRetireAPreparedKey(t *testing.T) {
	keys := generate(t, magiclink.EdDSA)
	prepared, err := keys.Prepare()
	require.NoError(t, err)
	require.NoError(t, keys.Retire(prepared))
	requireStates(t, keys, "active")
	rotated, err := keys.Rotate()
	require.NoError(t, err)
	require.NotEqual(t, prepared, rotated)
}

func TestPrepareNeedsASigningKey(t *testing.T) {
	public, err := seededKeyring(t).Public()
	require.NoError(t, err)
	_, err = public.Prepare()
	require.ErrorIs(t, err, magiclink.ErrNoSigningKey)
}

// A ring keeps a key: what is empty could not be told from a Keyring that was never made.
func TestRetireTheLastKey(t *testing.T) {
	public, err := seededKeyring(t).Public()
	require.NoError(t, err)
	require.ErrorContains(t, public.Retire(public.Keys()[0].ID), "last key")
	require.NoError(t, verify(public, sign(t, seededKeyring(t))))
}

// A set of somebody else with several private keys has one key that signs and none that is prepared.
func TestForeignSetHasNoPreparedKey(t *testing.T) {
	keys, err := magiclink.ParseKeyring([]byte(setOf(okpKey+"}", ecKey+"}")))
	require.NoError(t, err)
	requireStates(t, keys, "active", "verifies")
	path := filepath.Join(t.TempDir(), "keys.json")
	require.NoError(t, keys.Save(path))
	require.NotContains(t, readSet(t, path)[1], "d")
	rotated, err := keys.Rotate()
	require.NoError(t, err)
	require.NotEqual(t, "b", rotated)
}

func TestMarksOfTheFile(t *testing.T) {
	mark := func(key, members string) string { return key + "," + members + "}" }
	const prepared = `"magiclink_state":"prepared"`
	other := strings.Replace(ecKey, `"b"`, `"c"`, 1)
	for name, test := range map[string]struct {
		set string
		ok  bool
	}{
		"prepared":                      {setOf(okpKey+"}", mark(ecKey, prepared)), true},
		"prepared last":                 {setOf(okpKey+"}", ec+"}", mark(other, prepared)), true},
		"signed until":                  {setOf(okpKey+"}", mark(ec, `"magiclink_signed_until":1773489607`)), true},
		"the first key":                 {setOf(mark(okpKey, prepared)), false},
		"after a public key":            {setOf(okp+"}", mark(ecKey, prepared)), false},
		"without a private part":        {setOf(okpKey+"}", mark(ec, prepared)), false},
		"two":                           {setOf(okpKey+"}", mark(ecKey, prepared), mark(other, prepared)), false},
		"a state of a later version":    {setOf(okpKey+"}", mark(ec, `"magiclink_state":"retired"`)), false},
		"a state that is no text":       {setOf(okpKey+"}", mark(ec, `"magiclink_state":true`)), false},
		"signed until a text":           {setOf(okpKey+"}", mark(ec, `"magiclink_signed_until":"1773489607"`)), false},
		"signed until a broken second":  {setOf(okpKey+"}", mark(ec, `"magiclink_signed_until":1773489607.5`)), false},
		"two states, as two members":    {setOf(okpKey+"}", mark(ecKey, prepared+","+prepared)), false},
		"a secret beside an OKP signer": {setOf(okpKey+"}", mark(octKey, prepared)), false},
	} {
		t.Run(name, func(t *testing.T) {
			keys, err := magiclink.ParseKeyring([]byte(test.set))
			require.Equal(t, test.ok, err == nil, "%v", err)
			require.Equal(t, test.ok, keys != nil)
		})
	}
}

// Until when a key has signed is known after a rotation, in whole seconds that are never too early.
func TestSignedUntil(t *testing.T) {
	keys := generate(t, magiclink.EdDSA)
	before := time.Now()
	_, err := keys.Rotate()
	require.NoError(t, err)
	after := time.Now()
	infos := reloaded(t, keys).Keys()
	require.Zero(t, infos[0].SignedUntil)
	until := infos[1].SignedUntil
	require.Equal(t, until.Truncate(time.Second), until)
	require.False(t, until.Before(before))
	require.True(t, until.Before(after.Add(time.Second)))
	_, err = keys.Rotate()
	require.NoError(t, err)
	require.Equal(t, until, keys.Keys()[2].SignedUntil, "a later rotation does not change it")
}

// A file of several processes: one prepares and rotates, one only verifies, and no token is refused at any moment.
func TestRotationBreaksNoToken(t *testing.T) {
	path := filepath.Join(t.TempDir(), "keys.json")
	operator := generate(t, magiclink.EdDSA)
	require.NoError(t, operator.Save(path))
	server, err := magiclink.LoadKeyring(path)
	require.NoError(t, err)
	var tokens []string
	step := func(name string, change func() error) {
		require.NoError(t, change(), name)
		for _, keys := range []*magiclink.Keyring{operator, server} {
			tokens = append(tokens, sign(t, keys))
		}
		for n, token := range tokens {
			require.NoError(t, verify(server, token), "%s: server, token %d", name, n)
			require.NoError(t, verify(operator, token), "%s: operator, token %d", name, n)
		}
	}
	for round := range 3 {
		step(fmt.Sprint("prepare ", round), func() error { _, err := operator.Prepare(); return err })
		step("save", func() error { return operator.Save(path) })
		step("reload", func() error { return server.Reload(path) })
		step("rotate", func() error { _, err := operator.Rotate(); return err })
		step("save", func() error { return operator.Save(path) })
		step("reload", func() error { return server.Reload(path) })
	}
	require.NoError(t, os.Remove(path))
}
