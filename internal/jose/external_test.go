package jose_test

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"errors"
	"io"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/magiclink-go/magiclink/internal/jose"
)

// signer is a crypto.Signer that does as the test says.
type signer struct {
	public crypto.PublicKey
	sign   func(text []byte, opts crypto.SignerOpts) ([]byte, error)
}

func (s signer) Public() crypto.PublicKey {
	if s.public == "panic" {
		panic("no connection")
	}
	return s.public
}

func (s signer) Sign(_ io.Reader, text []byte, opts crypto.SignerOpts) ([]byte, error) {
	return s.sign(text, opts)
}

// foreign are good signers, by algorithm.
func foreign(tb testing.TB) map[jose.Algorithm]signer {
	tb.Helper()
	first, second := ed25519.NewKeyFromSeed(seed), rawES256(tb)
	return map[jose.Algorithm]signer{
		jose.EdDSA: {first.Public(), func(text []byte, opts crypto.SignerOpts) ([]byte, error) {
			require.Equal(tb, crypto.Hash(0), opts)
			return first.Sign(nil, text, opts)
		}},
		jose.ES256: {&second.PublicKey, func(digest []byte, opts crypto.SignerOpts) ([]byte, error) {
			require.Equal(tb, crypto.SHA256, opts)
			require.Len(tb, digest, 32)
			return second.Sign(rand.Reader, digest, opts)
		}},
	}
}

func TestForeignSigner(t *testing.T) {
	for algorithm, s := range foreign(t) {
		t.Run(string(algorithm), func(t *testing.T) {
			key, err := jose.NewKey("k", s)
			require.NoError(t, err)
			require.Equal(t, algorithm, key.Algorithm())
			require.True(t, key.CanSign())
			require.True(t, key.External())
			public, err := jose.NewKey("k", s.public)
			require.NoError(t, err)
			for range 200 { // one signature in 128 has a number of 31 bytes or fewer
				token, err := key.AppendSigned(nil, jose.Access, []byte(claims))
				require.NoError(t, err)
				_, err = jose.Verify(string(token), jose.Access, []*jose.Key{public})
				require.NoError(t, err)
			}
			require.False(t, key.Public().CanSign())
			require.False(t, key.Public().External())
			_, err = jose.MarshalSet(members(key))
			require.ErrorIs(t, err, jose.ErrNotExportable)
			_, err = jose.MarshalSet(members(key.Public()))
			require.NoError(t, err)
		})
	}
}

// A signer that fails, in whatever way, gives an error and no token.
func TestForeignSignerThatFails(t *testing.T) {
	outage := errors.New("the KMS does not answer")
	for algorithm, good := range foreign(t) {
		for name, sign := range map[string]func([]byte, crypto.SignerOpts) ([]byte, error){
			"error":           func([]byte, crypto.SignerOpts) ([]byte, error) { return nil, outage },
			"panic":           func([]byte, crypto.SignerOpts) ([]byte, error) { panic(outage) },
			"nil pointer":     func(text []byte, o crypto.SignerOpts) ([]byte, error) { return (*signer)(nil).Sign(nil, text, o) },
			"no signature":    func([]byte, crypto.SignerOpts) ([]byte, error) { return nil, nil },
			"zeros":           func([]byte, crypto.SignerOpts) ([]byte, error) { return make([]byte, 64), nil },
			"of another text": func(_ []byte, o crypto.SignerOpts) ([]byte, error) { return good.sign(seed, o) },
			"of another key": func(text []byte, o crypto.SignerOpts) ([]byte, error) {
				return otherSigner(t, algorithm).Sign(rand.Reader, text, o)
			},
			"truncated": func(text []byte, o crypto.SignerOpts) ([]byte, error) {
				signature, err := good.sign(text, o)
				return signature[:len(signature)-1], err
			},
			"with a byte behind": func(text []byte, o crypto.SignerOpts) ([]byte, error) {
				signature, err := good.sign(text, o)
				return append(signature, 0), err
			},
		} {
			t.Run(string(algorithm)+" "+name, func(t *testing.T) {
				key, err := jose.NewKey("k", signer{good.public, sign})
				require.NoError(t, err)
				for _, kind := range []jose.Kind{jose.Link, jose.Access} {
					token, err := key.AppendSigned(nil, kind, []byte(claims))
					require.Error(t, err)
					require.Nil(t, token)
					require.Equal(t, name == "error", errors.Is(err, outage))
				}
			})
		}
	}
}

func otherSigner(tb testing.TB, algorithm jose.Algorithm) crypto.Signer {
	tb.Helper()
	if algorithm == jose.ES256 {
		return rawES256(tb)
	}
	_, private, err := ed25519.GenerateKey(rand.Reader)
	require.NoError(tb, err)
	return private
}

// A signer that changes the text it was given does not change the token.
func TestForeignSignerThatChangesItsInput(t *testing.T) {
	for algorithm, good := range foreign(t) {
		key, err := jose.NewKey("k", signer{good.public, func(text []byte, o crypto.SignerOpts) ([]byte, error) {
			signature, err := good.sign(text, o)
			clear(text)
			return signature, err
		}})
		require.NoError(t, err)
		token, err := key.AppendSigned(nil, jose.Access, []byte(claims))
		require.NoError(t, err, algorithm)
		_, err = jose.Verify(string(token), jose.Access, []*jose.Key{key})
		require.NoError(t, err)
	}
}

func TestForeignSignerRefused(t *testing.T) {
	rsaKey, err := rsa.GenerateKey(rand.Reader, 2048)
	require.NoError(t, err)
	p384, err := ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	require.NoError(t, err)
	for name, raw := range map[string]crypto.Signer{
		"nil pointer": (*signer)(nil), "nil Ed25519": (*ed25519.PrivateKey)(nil), "no public key": signer{}, "RSA": rsaKey,
		"RSA behind a signer": signer{public: &rsaKey.PublicKey}, "P-384": signer{public: &p384.PublicKey},
		"a secret as public key": signer{public: seed}, "a private key as public key": signer{public: ed25519.NewKeyFromSeed(seed)},
		"a signer as public key": signer{public: signer{}}, "short public key": signer{public: ed25519.PublicKey(seed[:31])},
		"nil public key": signer{public: (*ecdsa.PublicKey)(nil)}, "panic": signer{public: "panic"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := jose.NewKey("k", raw)
			require.Error(t, err)
		})
	}
	private := ed25519.NewKeyFromSeed(seed)
	key, err := jose.NewKey("k", &private)
	require.NoError(t, err, "a pointer to a key is the key")
	require.False(t, key.External())
}

func BenchmarkForeignSigner(b *testing.B) {
	for algorithm, s := range foreign(b) {
		b.Run(string(algorithm), func(b *testing.B) {
			key, err := jose.NewKey("k", s)
			require.NoError(b, err)
			for b.Loop() {
				if _, err := key.AppendSigned(nil, jose.Access, []byte(claims)); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
