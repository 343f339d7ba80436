package jose_test

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/hex"
	"math/big"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/magiclink-go/magiclink/internal/jose"
)

// The points whose order divides 8, in all encodings that decoders are known to take: the canonical ones, those with
// y >= p, and those with the sign of a zero x. Source: "Taming the many EdDSAs" (Chalkias, Garillot, Nikolaenko 2020).
var smallOrder = []string{
	"0100000000000000000000000000000000000000000000000000000000000000",
	"0100000000000000000000000000000000000000000000000000000000000080",
	"ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
	"ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
	"0000000000000000000000000000000000000000000000000000000000000000",
	"0000000000000000000000000000000000000000000000000000000000000080",
	"c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
	"c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa",
	"26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
	"26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc85",
	"edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
	"edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
	"eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
	"eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
}

func TestEd25519PublicKeysOfSmallOrder(t *testing.T) {
	forged := 0
	for _, text := range smallOrder {
		public := ed25519.PublicKey(unhex(t, text))
		_, err := jose.NewKey("k", public)
		require.Error(t, err, text)
		_, err = jose.NewKey("k", signer{public: public})
		require.Error(t, err, text)
		// The identity as R and zero as S is a signature for many texts under such a key.
		signature := append(unhex(t, smallOrder[0]), make([]byte, 32)...)
		for n := range byte(100) {
			if ed25519.Verify(public, []byte{n}, signature) {
				forged++
				break
			}
		}
	}
	require.Positive(t, forged, "the control: the standard library takes such keys")
}

// The encodings with y >= p, of which some are points.
func TestEd25519PublicKeysThatAreNotCanonical(t *testing.T) {
	for low := 0xed; low <= 0xff; low++ {
		for _, sign := range []byte{0x7f, 0xff} {
			public := ed25519.PublicKey(bytes.Repeat([]byte{0xff}, 32))
			public[0], public[31] = byte(low), sign
			_, err := jose.NewKey("k", public)
			require.ErrorContains(t, err, "canonical", "%x", public)
		}
	}
}

// About half of all y coordinates belong to no point. The derived key of a random text is one that does.
func TestEd25519PublicKeysOffTheCurve(t *testing.T) {
	off := 0
	for n := range byte(200) {
		private := ed25519.NewKeyFromSeed(append(bytes.Clone(seed[:31]), n))
		public := bytes.Clone(private.Public().(ed25519.PublicKey))
		_, err := jose.NewKey("k", ed25519.PublicKey(public))
		require.NoError(t, err, "the control")
		public[3] ^= 0x55
		if _, err := jose.NewKey("k", ed25519.PublicKey(public)); err != nil {
			require.ErrorContains(t, err, "not a point of the curve")
			off++
		}
	}
	require.InDelta(t, 100, off, 50)
}

func TestWeakSecrets(t *testing.T) {
	for name, test := range map[string]struct {
		secret string
		ok     bool
	}{
		"one letter":                 {strings.Repeat("a", 32), false},
		"zeros":                      {string(make([]byte, 32)), false},
		"many zeros":                 {string(make([]byte, 1000)), false},
		"a word four times":          {strings.Repeat("changeme", 4), false},
		"a word and a part":          {strings.Repeat("changeme", 5)[:35], false},
		"sixteen bytes twice":        {strings.Repeat("0123456789abcdef", 2), false},
		"seven letters":              {"abcdefgabcdgfeabcdefgfedcbagfedc", false},
		"eight letters":              {"abcdefghabcdhgfeabcdefghfedcbahg", true},
		"31 bytes":                   {string(seed[:31]), false},
		"text":                       {string(seed), true},
		"hexadecimal digits":         {"0f1e2d3c4b5a69788796a5b4c3d2e1f0", true},
		"a repetition but for a bit": {strings.Repeat("0123456789abcdef", 2)[:31] + "g", true},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := jose.NewKey("k", []byte(test.secret))
			require.Equal(t, test.ok, err == nil, "%v", err)
		})
	}
}

// The rule for secrets holds for the private parts of asymmetric keys as well.
func TestWeakPrivateKeys(t *testing.T) {
	for _, weak := range [][]byte{make([]byte, 32), bytes.Repeat([]byte{7}, 32), []byte(strings.Repeat("changeme", 4))} {
		_, err := jose.NewKey("k", ed25519.NewKeyFromSeed(weak))
		require.ErrorContains(t, err, "not random")
	}
	for _, scalar := range []int64{1, 2, 1 << 40} {
		raw := big.NewInt(scalar).FillBytes(make([]byte, 32))
		private, err := ecdsa.ParseRawPrivateKey(elliptic.P256(), raw)
		require.NoError(t, err)
		_, err = jose.NewKey("k", private)
		require.ErrorContains(t, err, "not random")
	}
}

func TestRandomSecretsAreNotWeak(t *testing.T) {
	secret, digits := make([]byte, 32), make([]byte, 16)
	for range 2000 {
		rand.Read(secret)
		rand.Read(digits)
		_, err := jose.NewKey("k", secret)
		require.NoError(t, err)
		_, err = jose.NewKey("k", []byte(hex.EncodeToString(digits)))
		require.NoError(t, err)
	}
}

// A key does not change when the caller changes, or erases, what the key was made of.
func TestMaterialIsCopied(t *testing.T) {
	secret := bytes.Clone(seed)
	private := ed25519.NewKeyFromSeed(seed)
	public := bytes.Clone(private.Public().(ed25519.PublicKey))
	p256 := rawES256(t)
	foreign := signer{public: ed25519.PublicKey(public), sign: func(text []byte, _ crypto.SignerOpts) ([]byte, error) {
		return ed25519.Sign(ed25519.NewKeyFromSeed(seed), text), nil
	}}
	for name, test := range map[string]struct {
		raw   any
		spoil func()
	}{
		"HS256":   {secret, func() { clear(secret) }},
		"Ed25519": {private, func() { clear(private) }},
		"signer":  {foreign, func() { clear(public) }},
		"P-256":   {p256, func() { p256.D.SetInt64(7); p256.X.SetInt64(7) }},
	} {
		t.Run(name, func(t *testing.T) {
			before, err := jose.NewKey("k", test.raw)
			require.NoError(t, err)
			set, err := jose.MarshalSet(members(before.Public()))
			require.NoError(t, err)
			read, err := jose.ParseSet(set)
			require.NoError(t, err)
			key, err := jose.NewKey("k", test.raw)
			require.NoError(t, err)
			test.spoil()
			token, err := key.AppendSigned(nil, jose.Access, []byte(claims))
			require.NoError(t, err)
			for _, verifier := range []*jose.Key{key, read[0].Key} {
				_, err = jose.Verify(string(token), jose.Access, []*jose.Key{verifier})
				require.NoError(t, err)
			}
		})
	}
	p := edDSA(t)
	raw := ed25519.PublicKey(publicBytes(t, p.key))
	key, err := jose.NewKey("k", raw)
	require.NoError(t, err)
	clear(raw)
	_, err = jose.Verify(p.signed(t), jose.Access, []*jose.Key{key})
	require.NoError(t, err)
}

func unhex(tb testing.TB, text string) []byte {
	tb.Helper()
	raw, err := hex.DecodeString(text)
	require.NoError(tb, err)
	return raw
}
