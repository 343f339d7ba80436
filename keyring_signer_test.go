package magiclink_test

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"io"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/magiclink-go/magiclink"
	"github.com/magiclink-go/magiclink/store/memory"
)

// signer is a key outside of the process, as in a KMS.
type signer struct {
	key  crypto.Signer
	fail func() error // nil: the signer works
}

func signerOf(key crypto.Signer) *signer { return &signer{key: key} }

func (s *signer) Public() crypto.PublicKey { return s.key.Public() }

func (s *signer) Sign(_ io.Reader, text []byte, opts crypto.SignerOpts) ([]byte, error) {
	if s.fail != nil {
		return nil, s.fail()
	}
	return s.key.Sign(rand.Reader, text, opts)
}

func pointer[T any](value T) *T { return &value }

func randomBytes(n int) []byte {
	random := make([]byte, n)
	rand.Read(random)
	return random
}

func base64url(raw []byte) string { return base64.RawURLEncoding.EncodeToString(raw) }

func onP256(tb testing.TB) *ecdsa.PrivateKey {
	tb.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(tb, err)
	return key
}

func TestKeyringOfASigner(t *testing.T) {
	for algorithm, key := range map[magiclink.Algorithm]crypto.Signer{magiclink.EdDSA: seededKey(), magiclink.ES256: onP256(t)} {
		t.Run(string(algorithm), func(t *testing.T) {
			keys, err := magiclink.NewKeyring(signerOf(key))
			require.NoError(t, err)
			raw, err := magiclink.NewKeyring(key)
			require.NoError(t, err)
			require.True(t, keys.CanSign())
			require.Equal(t, raw.Keys(), keys.Keys(), "the id is that of the key itself")
			require.NoError(t, verify(raw, sign(t, keys)))
			require.NoError(t, verify(keys, sign(t, raw)))

			path := filepath.Join(t.TempDir(), "keys.json")
			require.ErrorIs(t, keys.Save(path), magiclink.ErrNotExportable)
			require.NoFileExists(t, path)
			public, err := keys.Public()
			require.NoError(t, err)
			require.NoError(t, public.Save(path), "what the error advises works")
			require.NoError(t, verify(public, sign(t, keys)))

			before := keys.Keys()
			_, err = keys.Rotate()
			require.ErrorContains(t, err, "NewKeyring")
			_, err = keys.Prepare()
			require.ErrorContains(t, err, "NewKeyring")
			require.Equal(t, before, keys.Keys())
		})
	}
}

// A key in a KMS is replaced as the error of Rotate says: the next key is published first.
func TestReplaceASigner(t *testing.T) {
	first, second := signerOf(seededKey()), signerOf(onP256(t))
	before, err := magiclink.NewKeyring(first, second)
	require.NoError(t, err)
	after, err := magiclink.NewKeyring(second, first.Public())
	require.NoError(t, err)
	require.ElementsMatch(t, idsOf(before), idsOf(after))
	require.NoError(t, verify(after, sign(t, before)))
	require.NoError(t, verify(before, sign(t, after)))
	require.Equal(t, []bool{true, false}, []bool{before.Keys()[0].Active, before.Keys()[1].Active})
	require.NoError(t, before.Retire(before.Keys()[1].ID))
	require.NoError(t, verify(before, sign(t, before)), "the signer is still there")
}

// A signer that fails is an outage of Issue, and nothing is stored.
func TestIssueWithASignerThatFails(t *testing.T) {
	outage := errors.New("the KMS does not answer")
	for name, fail := range map[string]func() error{"error": func() error { return outage }, "panic": func() error { panic(outage) }} {
		t.Run(name, func(t *testing.T) {
			kms := signerOf(seededKey())
			keys, err := magiclink.NewKeyring(kms)
			require.NoError(t, err)
			issuer, err := magiclink.New(magiclink.Config{BaseURL: baseURL, Keys: keys, Store: memory.New()})
			require.NoError(t, err)
			kms.fail = fail
			_, err = issuer.Issue(t.Context(), magiclink.MagicLinkCreate{BusinessID: businessA})
			require.ErrorIs(t, err, magiclink.ErrUnavailable)
			require.Equal(t, name == "error", errors.Is(err, outage))
			kms.fail = nil
			_, err = issuer.Issue(t.Context(), magiclink.MagicLinkCreate{BusinessID: businessA})
			require.NoError(t, err, "the control: it works again")
		})
	}
}

// A signer that fails is an outage of Grant, too. What a panic holds may be a secret, and is in no error.
func TestGrantWithASignerThatFails(t *testing.T) {
	outage := errors.New("the KMS does not answer to PIN 1234")
	kms := signerOf(seededKey())
	keys, err := magiclink.NewKeyring(kms)
	require.NoError(t, err)
	config := magiclink.Config{BaseURL: baseURL, Keys: keys, Store: memory.New()}
	issuer, err := magiclink.New(config)
	require.NoError(t, err)
	redeemer, err := magiclink.NewRedeemer(config)
	require.NoError(t, err)
	sessions, err := magiclink.NewSessions(config)
	require.NoError(t, err)
	link, err := issuer.Issue(t.Context(), magiclink.MagicLinkCreate{BusinessID: businessA})
	require.NoError(t, err)
	redeemed, err := redeemer.Redeem(t.Context(), magiclink.TokenOf(link.MagicLink))
	require.NoError(t, err)
	for name, fail := range map[string]func() error{"error": func() error { return outage }, "panic": func() error { panic(outage) }} {
		t.Run(name, func(t *testing.T) {
			kms.fail = fail
			token, _, err := sessions.Grant(t.Context(), redeemed)
			require.ErrorIs(t, err, magiclink.ErrUnavailable)
			require.Empty(t, token)
			if name == "panic" {
				require.NotContains(t, err.Error(), "1234")
			}
			kms.fail = nil
			_, _, err = sessions.Grant(t.Context(), redeemed)
			require.NoError(t, err, "the control: it works again")
		})
	}
}

// Of verifying keys only the public part is kept.
func TestVerifyingKeys(t *testing.T) {
	other := onP256(t)
	for name, verifying := range map[string]any{"private": other, "public": &other.PublicKey, "signer": signerOf(other)} {
		t.Run(name, func(t *testing.T) {
			keys, err := magiclink.NewKeyring(seededKey(), verifying)
			require.NoError(t, err)
			old, err := magiclink.NewKeyring(other)
			require.NoError(t, err)
			require.NoError(t, verify(keys, sign(t, old)))
			require.NoError(t, verify(keys, sign(t, keys)))
			path := filepath.Join(t.TempDir(), "keys.json")
			require.NoError(t, keys.Save(path))
			require.Contains(t, readSet(t, path)[0], "d")
			require.NotContains(t, readSet(t, path)[1], "d")
		})
	}
	first, second := randomBytes(32), randomBytes(32)
	keys, err := magiclink.NewKeyring(first, second)
	require.NoError(t, err)
	old, err := magiclink.NewKeyring(second)
	require.NoError(t, err)
	require.NoError(t, verify(keys, sign(t, old)), "a secret verifies")
	public, err := magiclink.NewKeyring(seededKey().Public(), &other.PublicKey)
	require.NoError(t, err)
	require.False(t, public.CanSign())
}

func TestVerifyingKeysRefused(t *testing.T) {
	for name, verifying := range map[string]any{
		"nil": nil, "nil slice": []byte(nil), "nil key": (*ecdsa.PublicKey)(nil), "nil signer": (*signer)(nil), "text": "text",
		"a keyring": seededKeyring(t), "the active key again": seededKey(), "its public part": seededKey().Public(),
		"a secret": randomBytes(32), "a weak key": ed25519.PublicKey(make([]byte, 32)),
	} {
		t.Run(name, func(t *testing.T) {
			keys, err := magiclink.NewKeyring(seededKey(), onP256(t), verifying)
			require.Error(t, err)
			require.Nil(t, keys)
		})
	}
	_, err := magiclink.NewKeyring(seededKey(), onP256(t), nil)
	require.ErrorContains(t, err, "verifying key 2")
	_, err = magiclink.NewKeyring(randomBytes(32), seededKey())
	require.ErrorContains(t, err, "symmetric")
}

// Changing a secret after NewKeyring changes nothing.
func TestKeyMaterialIsCopied(t *testing.T) {
	secret := randomBytes(32)
	again := bytes.Clone(secret)
	keys, err := magiclink.NewKeyring(secret)
	require.NoError(t, err)
	clear(secret)
	same, err := magiclink.NewKeyring(again)
	require.NoError(t, err)
	require.NoError(t, verify(same, sign(t, keys)))
}

// Every door judges the material by the same rule.
func TestEveryDoorRefusesWeakKeys(t *testing.T) {
	identity := append([]byte{1}, make([]byte, 31)...)
	weak := map[string]struct {
		raw any
		jwk string
	}{
		"constant secret": {bytes.Repeat([]byte("a"), 32), `{"kty":"oct","kid":"k","k":"` + base64url(bytes.Repeat([]byte("a"), 32)) + `"}`},
		"repeated secret": {bytes.Repeat([]byte("changeme"), 4), `{"kty":"oct","kid":"k","k":"` + base64url(bytes.Repeat([]byte("changeme"), 4)) + `"}`},
		"small order":     {ed25519.PublicKey(identity), `{"kty":"OKP","crv":"Ed25519","kid":"k","x":"` + base64url(identity) + `"}`},
		"zero seed": {ed25519.NewKeyFromSeed(make([]byte, 32)), `{"kty":"OKP","crv":"Ed25519","kid":"k","d":"` + base64url(make([]byte, 32)) +
			`","x":"` + base64url(ed25519.NewKeyFromSeed(make([]byte, 32))[32:]) + `"}`},
	}
	for name, test := range weak {
		t.Run(name, func(t *testing.T) {
			_, err := magiclink.NewKeyring(test.raw)
			require.Error(t, err, "active")
			_, err = magiclink.ParseKeyring([]byte(setOf(test.jwk)))
			require.Error(t, err, "JWK set")
			path := filepath.Join(t.TempDir(), "keys.json")
			require.NoError(t, os.WriteFile(path, []byte(setOf(test.jwk)), 0o600))
			_, err = magiclink.LoadKeyring(path)
			require.Error(t, err, "file")
			require.Error(t, seededKeyring(t).Reload(path), "reload")
		})
	}
}
