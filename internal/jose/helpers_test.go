package jose_test

import (
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/magiclink-go/magiclink/internal/jose"
)

const claims = `{"iss":"i","jti":"1"}`

var encode = base64.RawURLEncoding.EncodeToString

// party is a key of ours and a signer that was made without our code.
type party struct {
	key  *jose.Key
	sign func(signed string) []byte
}

// keys is the ring of the one key.
func (p party) keys() []*jose.Key { return []*jose.Key{p.key} }

// craft makes a token with any header and payload, and a right signature.
func (p party) craft(header, payload string) string {
	signed := encode([]byte(header)) + "." + encode([]byte(payload))
	return signed + "." + encode(p.sign(signed))
}

func (p party) verify(token string) error {
	_, err := jose.Verify(token, jose.Access, p.keys())
	return err
}

// header is a good one for an access token.
func (p party) header() string {
	return `{"alg":"` + string(p.key.Algorithm()) + `","kid":"k","typ":"at+jwt"}`
}

// signed is a good access token that our own code has made.
func (p party) signed(tb testing.TB) string {
	tb.Helper()
	token, err := p.key.AppendSigned(nil, jose.Access, []byte(claims))
	require.NoError(tb, err)
	require.NoError(tb, p.verify(string(token)))
	return string(token)
}

// members makes a JWK set of the keys.
func members(keys ...*jose.Key) []jose.Member {
	set := make([]jose.Member, 0, len(keys))
	for _, key := range keys {
		set = append(set, jose.Member{Key: key})
	}
	return set
}

func keysOf(set []jose.Member) []*jose.Key {
	keys := make([]*jose.Key, 0, len(set))
	for _, member := range set {
		keys = append(keys, member.Key)
	}
	return keys
}

var seed = []byte("a fixed seed of thirty-two bytes")

func edDSA(tb testing.TB) party {
	tb.Helper()
	private := ed25519.NewKeyFromSeed(seed)
	return newParty(tb, private, func(signed string) []byte { return ed25519.Sign(private, []byte(signed)) })
}

func es256(tb testing.TB) party {
	tb.Helper()
	private := rawES256(tb)
	return newParty(tb, private, func(signed string) []byte {
		sum := sha256.Sum256([]byte(signed))
		r, s, err := ecdsa.Sign(rand.Reader, private, sum[:])
		require.NoError(tb, err)
		return append(r.FillBytes(make([]byte, 32)), s.FillBytes(make([]byte, 32))...)
	})
}

func rawES256(tb testing.TB) *ecdsa.PrivateKey {
	tb.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(tb, err)
	return private
}

func hs256(tb testing.TB) party {
	tb.Helper()
	return newParty(tb, seed, func(signed string) []byte { return mac(seed, signed) })
}

func mac(secret []byte, signed string) []byte {
	hash := hmac.New(sha256.New, secret)
	hash.Write([]byte(signed))
	return hash.Sum(nil)
}

func newParty(tb testing.TB, raw any, sign func(string) []byte) party {
	tb.Helper()
	key, err := jose.NewKey("k", raw)
	require.NoError(tb, err)
	return party{key: key, sign: sign}
}

// each runs a test for all three algorithms.
func each(t *testing.T, test func(*testing.T, party)) {
	t.Helper()
	for _, p := range []party{edDSA(t), es256(t), hs256(t)} {
		t.Run(string(p.key.Algorithm()), func(t *testing.T) { test(t, p) })
	}
}
