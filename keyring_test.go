package magiclink_test

import (
	"crypto/ecdh"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"math/big"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/magiclink-go/magiclink"
)

var algorithms = []magiclink.Algorithm{magiclink.EdDSA, magiclink.ES256, magiclink.HS256}

func generate(tb testing.TB, algorithm magiclink.Algorithm) *magiclink.Keyring {
	tb.Helper()
	keys, err := magiclink.GenerateKeyring(algorithm)
	require.NoError(tb, err)
	return keys
}

func TestGenerateKeyring(t *testing.T) {
	for _, algorithm := range algorithms {
		t.Run(string(algorithm), func(t *testing.T) {
			keys := generate(t, algorithm)
			require.True(t, keys.CanSign())
			infos := keys.Keys()
			require.Len(t, infos, 1)
			require.Equal(t, algorithm, infos[0].Algorithm)
			require.True(t, infos[0].Active)
			require.Regexp(t, `^key_[`+idAlphabet+`]{22}$`, infos[0].ID)

			token := sign(t, keys)
			require.NoError(t, verify(keys, token))
			require.Equal(t, string(algorithm), part(t, token, 0)["alg"])
			require.ErrorIs(t, verify(generate(t, algorithm), token), magiclink.ErrInvalidToken)
		})
	}
}

func TestGenerateKeyringOfUnknownAlgorithm(t *testing.T) {
	for _, algorithm := range []magiclink.Algorithm{"", "none", "eddsa", "Ed25519", "RS256", "ES384", "HS512"} {
		_, err := magiclink.GenerateKeyring(algorithm)
		require.Error(t, err, algorithm)
	}
}

func TestNewKeyring(t *testing.T) {
	onP256, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	for name, test := range map[string]struct {
		key       any
		algorithm magiclink.Algorithm
		signs     bool
	}{
		"Ed25519":        {seededKey(), magiclink.EdDSA, true},
		"Ed25519 public": {seededKey().Public(), magiclink.EdDSA, false},
		"P-256":          {onP256, magiclink.ES256, true},
		"P-256 public":   {&onP256.PublicKey, magiclink.ES256, false},
		"a pointer":      {pointer(seededKey()), magiclink.EdDSA, true},
		"a signer":       {signerOf(seededKey()), magiclink.EdDSA, true},
		"a P-256 signer": {signerOf(onP256), magiclink.ES256, true},
		"32 bytes":       {randomBytes(32), magiclink.HS256, true},
		"1000 bytes":     {randomBytes(1000), magiclink.HS256, true},
	} {
		t.Run(name, func(t *testing.T) {
			keys, err := magiclink.NewKeyring(test.key)
			require.NoError(t, err)
			require.Equal(t, test.signs, keys.CanSign())
			info := keys.Keys()[0]
			require.Equal(t, test.algorithm, info.Algorithm)
			require.Equal(t, test.signs, info.Active)

			again, err := magiclink.NewKeyring(test.key)
			require.NoError(t, err)
			require.Equal(t, info.ID, again.Keys()[0].ID, "the id is derived from the key")
			if test.signs {
				require.NoError(t, verify(again, sign(t, keys)))
			}
		})
	}
}

// The private and the public half have one id, which is the thumbprint of RFC 7638.
func TestKeyIDIsTheThumbprint(t *testing.T) {
	seed := unbase64(t, "nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A") // RFC 8037 appendix A
	private, err := magiclink.NewKeyring(ed25519.NewKeyFromSeed(seed))
	require.NoError(t, err)
	public, err := magiclink.NewKeyring(ed25519.NewKeyFromSeed(seed).Public())
	require.NoError(t, err)
	require.Equal(t, "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k", private.Keys()[0].ID)
	require.Equal(t, "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k", public.Keys()[0].ID)
}

func TestNewKeyringRefuses(t *testing.T) {
	p256, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	other, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	p384, err := ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	require.NoError(t, err)
	p224, err := ecdsa.GenerateKey(elliptic.P224(), rand.Reader)
	require.NoError(t, err)
	rsaKey, err := rsa.GenerateKey(rand.Reader, 2048)
	require.NoError(t, err)
	x25519, err := ecdh.X25519().GenerateKey(rand.Reader)
	require.NoError(t, err)
	mixed := append(append(ed25519.PrivateKey{}, seededKey()[:32]...), make([]byte, 32)...)
	n := elliptic.P256().Params().N

	for name, key := range map[string]any{
		"nil": nil, "string": "a string of more than thirty-two bytes, which is no key", "empty": []byte{}, "no bytes": []byte(nil),
		"31 bytes": make([]byte, 31), "short private": ed25519.PrivateKey(make([]byte, 32)), "no private": ed25519.PrivateKey(nil),
		"long private": ed25519.PrivateKey(make([]byte, 65)), "Ed25519 halves of two keys": mixed,
		"short public": ed25519.PublicKey(make([]byte, 31)), "no public": ed25519.PublicKey(nil),
		"pointer to Ed25519 halves": &mixed, "P-384": p384, "P-384 public": &p384.PublicKey, "P-224": p224, "value of P-256": *p256,
		"nil P-256": (*ecdsa.PrivateKey)(nil), "nil P-256 public": (*ecdsa.PublicKey)(nil),
		"zero P-256": new(ecdsa.PrivateKey), "zero P-256 public": new(ecdsa.PublicKey),
		"point at infinity":   &ecdsa.PublicKey{Curve: elliptic.P256(), X: new(big.Int), Y: new(big.Int)},
		"off the curve":       &ecdsa.PublicKey{Curve: elliptic.P256(), X: p256.X, Y: new(big.Int).Add(p256.Y, big.NewInt(1))},
		"negative point":      &ecdsa.PublicKey{Curve: elliptic.P256(), X: new(big.Int).Neg(p256.X), Y: p256.Y},
		"point of two keys":   &ecdsa.PublicKey{Curve: elliptic.P256(), X: p256.X, Y: other.Y},
		"P-256 halves of two": &ecdsa.PrivateKey{PublicKey: other.PublicKey, D: p256.D},
		"scalar 0":            &ecdsa.PrivateKey{PublicKey: p256.PublicKey, D: new(big.Int)},
		"scalar n":            &ecdsa.PrivateKey{PublicKey: p256.PublicKey, D: n},
		"scalar too long":     &ecdsa.PrivateKey{PublicKey: p256.PublicKey, D: new(big.Int).Lsh(n, 300)},
		"negative scalar":     &ecdsa.PrivateKey{PublicKey: p256.PublicKey, D: new(big.Int).Neg(p256.D)},
		"RSA":                 rsaKey, "RSA public": &rsaKey.PublicKey, "X25519": x25519, "X25519 public": x25519.PublicKey(),
	} {
		t.Run(name, func(t *testing.T) {
			keys, err := magiclink.NewKeyring(key)
			require.Error(t, err)
			require.Nil(t, keys)
		})
	}
}

// The zero value and nil answer every call, and each error names the constructors.
func TestZeroKeyring(t *testing.T) {
	path := filepath.Join(t.TempDir(), "keys.json")
	require.NoError(t, seededKeyring(t).Save(path))
	token := sign(t, seededKeyring(t))
	for name, keys := range map[string]*magiclink.Keyring{"zero": new(magiclink.Keyring), "nil": nil} {
		t.Run(name, func(t *testing.T) {
			require.False(t, keys.CanSign())
			require.Empty(t, keys.Keys())
			for method, call := range map[string]func() error{
				"Prepare":           func() error { _, err := keys.Prepare(); return err },
				"Rotate":            func() error { _, err := keys.Rotate(); return err },
				"Retire":            func() error { return keys.Retire("") },
				"Save":              func() error { return keys.Save(path) },
				"Reload":            func() error { return keys.Reload(path) },
				"Public":            func() error { _, err := keys.Public(); return err },
				"PublicJWKS":        func() error { _, err := keys.PublicJWKS(); return err },
				"SignAccessToken":   func() error { _, err := keys.SignAccessToken(accessToken()); return err },
				"VerifyAccessToken": func() error { return verify(keys, token) },
			} {
				require.EqualError(t, call(), "magiclink: Keyring is not initialized: use GenerateKeyring, NewKeyring or LoadKeyring", method)
			}
			require.False(t, keys.CanSign(), "no method has made it a ring")
		})
	}
	_, err := magiclink.LoadKeyring(path)
	require.NoError(t, err, "the file that Save would have replaced is as it was")
}

// Keys whose numbers are missing are refused like all others that are no keys.
func TestNewKeyringOfKeysWithoutNumbers(t *testing.T) {
	p256, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	for name, key := range map[string]any{
		"no point": &ecdsa.PublicKey{Curve: elliptic.P256()}, "no Y": &ecdsa.PublicKey{Curve: elliptic.P256(), X: p256.X},
		"no scalar":           &ecdsa.PrivateKey{PublicKey: p256.PublicKey},
		"scalar and no point": &ecdsa.PrivateKey{PublicKey: ecdsa.PublicKey{Curve: elliptic.P256()}, D: p256.D},
	} {
		t.Run(name, func(t *testing.T) {
			defer func() { require.Nil(t, recover(), "it panicked") }()
			_, err := magiclink.NewKeyring(key)
			require.Error(t, err)
		})
	}
}
