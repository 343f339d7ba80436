package magiclink_test

import (
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/magiclink-go/magiclink"
)

func TestRotateAndRetire(t *testing.T) {
	for _, algorithm := range algorithms {
		t.Run(string(algorithm), func(t *testing.T) {
			keys := generate(t, algorithm)
			first := keys.Keys()[0].ID
			oldToken := sign(t, keys)

			second, err := keys.Rotate()
			require.NoError(t, err)
			require.NotEqual(t, first, second)
			require.Equal(t, []string{second, first}, idsOf(keys))
			require.True(t, keys.Keys()[0].Active)
			require.False(t, keys.Keys()[1].Active)
			require.Equal(t, algorithm, keys.Keys()[0].Algorithm)

			newToken := sign(t, keys)
			require.Equal(t, second, part(t, newToken, 0)["kid"])
			require.NoError(t, verify(keys, oldToken), "what the old key signed stays valid")
			require.NoError(t, verify(keys, newToken))

			require.ErrorContains(t, keys.Retire(second), "rotate first")
			require.ErrorContains(t, keys.Retire("unknown"), "no key")
			require.Equal(t, []string{second, first}, idsOf(keys), "a refusal changes nothing")

			require.NoError(t, keys.Retire(first))
			require.ErrorIs(t, verify(keys, oldToken), magiclink.ErrInvalidToken)
			require.NoError(t, verify(keys, newToken))
			require.ErrorContains(t, keys.Retire(first), "no key")
		})
	}
}

func TestPublicKeyring(t *testing.T) {
	for _, algorithm := range []magiclink.Algorithm{magiclink.EdDSA, magiclink.ES256} {
		t.Run(string(algorithm), func(t *testing.T) {
			keys := generate(t, algorithm)
			oldToken := sign(t, keys)
			_, err := keys.Rotate()
			require.NoError(t, err)
			newToken := sign(t, keys)

			public, err := keys.Public()
			require.NoError(t, err)
			set, err := keys.PublicJWKS()
			require.NoError(t, err)
			parsed, err := magiclink.ParseKeyring(set)
			require.NoError(t, err)
			for name, ring := range map[string]*magiclink.Keyring{"Public": public, "JWKS": parsed} {
				require.NoError(t, verify(ring, oldToken), name)
				require.NoError(t, verify(ring, newToken), name)
				require.False(t, ring.CanSign(), name)
				require.Equal(t, idsOf(keys), idsOf(ring), name)
				_, err = ring.SignAccessToken(accessToken())
				require.ErrorIs(t, err, magiclink.ErrNoSigningKey, name)
				_, err = ring.Rotate()
				require.ErrorIs(t, err, magiclink.ErrNoSigningKey, name)
			}
			_, err = keys.Rotate()
			require.NoError(t, err)
			require.ErrorIs(t, verify(public, sign(t, keys)), magiclink.ErrInvalidToken, "it does not follow")
		})
	}
}

func TestSymmetricKeyringHasNoPublicPart(t *testing.T) {
	keys := generate(t, magiclink.HS256)
	_, err := keys.Public()
	require.Error(t, err)
	set, err := keys.PublicJWKS()
	require.NoError(t, err)
	require.JSONEq(t, `{"keys":[]}`, string(set))
}

// What a ring signs verifies there while other goroutines rotate it and look at it.
func TestConcurrentRotation(t *testing.T) {
	for _, algorithm := range algorithms {
		t.Run(string(algorithm), func(t *testing.T) {
			keys := generate(t, algorithm)
			work := []func() error{
				func() error { _, err := keys.Rotate(); return err },
				func() error { return verifyOwn(keys) },
				func() error { return verifyOwn(keys) },
				func() error { _, err := keys.PublicJWKS(); return err },
				func() error { keys.Keys(); return nil },
			}
			var wait sync.WaitGroup
			errs := make(chan error, len(work))
			for _, do := range work {
				wait.Go(func() {
					for range 40 {
						if err := do(); err != nil {
							errs <- err
							return
						}
					}
				})
			}
			wait.Wait()
			close(errs)
			for err := range errs {
				require.NoError(t, err)
			}
			require.Len(t, keys.Keys(), 41)
		})
	}
}

func verifyOwn(keys *magiclink.Keyring) error {
	token, err := keys.SignAccessToken(accessToken())
	if err != nil {
		return err
	}
	return verify(keys, token)
}

func idsOf(keys *magiclink.Keyring) []string {
	var ids []string
	for _, info := range keys.Keys() {
		ids = append(ids, info.ID)
	}
	return ids
}
