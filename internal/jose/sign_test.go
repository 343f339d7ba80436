package jose_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/magiclink-go/magiclink/internal/jose"
)

func TestSignAndVerify(t *testing.T) {
	each(t, func(t *testing.T, p party) {
		text, err := jose.Verify(p.signed(t), jose.Access, p.keys())
		require.NoError(t, err)
		require.Equal(t, claims, string(text))

		text, err = jose.Verify(p.craft(p.header(), claims), jose.Access, p.keys())
		require.NoError(t, err, "what somebody else has signed")
		require.Equal(t, claims, string(text))
	})
}

// What our code signs is what the standard library signs. ES256 has a random part.
func TestSignedBytes(t *testing.T) {
	for _, p := range []party{edDSA(t), hs256(t)} {
		require.Equal(t, p.craft(p.header(), claims), p.signed(t))
	}
}

func TestAppendSignedAppends(t *testing.T) {
	p := edDSA(t)
	token, err := p.key.AppendSigned([]byte("before "), jose.Access, []byte(claims))
	require.NoError(t, err)
	require.Equal(t, "before "+p.signed(t), string(token))
}

func TestPublicKeysDoNotSign(t *testing.T) {
	each(t, func(t *testing.T, p party) {
		public := p.key.Public()
		require.Equal(t, p.key.ID(), public.ID())
		require.True(t, p.key.CanSign())
		require.Equal(t, p.key.Symmetric(), public.CanSign(), "a secret has no public part")
		_, err := jose.Verify(p.signed(t), jose.Access, []*jose.Key{public})
		require.NoError(t, err)
		if !p.key.Symmetric() {
			_, err = public.AppendSigned(nil, jose.Access, []byte(claims))
			require.ErrorIs(t, err, jose.ErrCannotSign)
		}
	})
}

// Each kind of token passes as its own kind alone.
func TestKindsAreKeptApart(t *testing.T) {
	kinds := []jose.Kind{jose.Link, jose.Session, jose.Access}
	each(t, func(t *testing.T, p party) {
		for _, signed := range kinds {
			token, err := p.key.AppendSigned(nil, signed, []byte(claims))
			require.NoError(t, err)
			for _, wanted := range kinds {
				_, err := jose.Verify(string(token), wanted, p.keys())
				require.Equal(t, signed == wanted, err == nil)
			}
		}
	})
}

// The allocations of a token are those of its signature and one for the buffer.
func TestAllocationsOfSigning(t *testing.T) {
	p := hs256(t)
	buf := make([]byte, 0, 1024)
	got := testing.AllocsPerRun(100, func() {
		_, err := p.key.AppendSigned(buf, jose.Link, []byte(claims))
		require.NoError(t, err)
	})
	require.LessOrEqual(t, got, 12.0)
}

func TestGenerate(t *testing.T) {
	for _, algorithm := range []jose.Algorithm{jose.EdDSA, jose.ES256, jose.HS256} {
		key, err := jose.Generate("k", algorithm)
		require.NoError(t, err)
		require.Equal(t, algorithm, key.Algorithm())
		require.Equal(t, algorithm == jose.HS256, key.Symmetric())
	}
	_, err := jose.Generate("k", "RS256")
	require.ErrorContains(t, err, "RS256")
	_, err = jose.Generate(strings.Repeat("k", 129), jose.EdDSA)
	require.Error(t, err)
}
