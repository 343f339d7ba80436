package jose_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/magiclink-go/magiclink/internal/jose"
)

// FuzzToken mutates good tokens. An accepted token is byte for byte a token that we have signed. ES256 is left out: each of its
// signatures has a second form that is valid too (s and n-s).
func FuzzToken(f *testing.F) {
	one, two := edDSA(f), hs256(f)
	issued := map[string]jose.Kind{}
	for _, p := range []party{one, two} {
		token := p.signed(f)
		issued[token] = jose.Access
		link, err := p.key.AppendSigned(nil, jose.Link, []byte(claims))
		require.NoError(f, err)
		issued[string(link)] = jose.Link
		f.Add(string(link))
		f.Add(token)
		f.Add(token + "\n")
		f.Add(token + "=")
		f.Add(strings.Replace(token, ".", "..", 1))
		f.Add(token[:len(token)-1])
		f.Add(strings.Replace(token, ".", ".\n", 1))
		f.Add(strings.ToLower(token))
		f.Add(p.craft(`{"alg":"none","kid":"k","typ":"at+jwt"}`, claims))
		f.Add(p.craft(`{"alg":"EdDSA","kid":"k","typ":"at+jwt","crit":[]}`, claims))
	}
	f.Fuzz(func(t *testing.T, token string) {
		for _, p := range []party{one, two} {
			for _, kind := range []jose.Kind{jose.Link, jose.Session, jose.Access} {
				text, err := jose.Verify(token, kind, p.keys())
				if err != nil {
					require.Equal(t, jose.ErrInvalid, err)
					require.Nil(t, text)
					continue
				}
				signed, ours := issued[token]
				require.True(t, ours, "%q is not ours", token)
				require.Equal(t, signed, kind)
				require.Equal(t, claims, string(text))
			}
		}
	})
}

// FuzzParseSet looks for panics, and for keys that do not survive being written.
func FuzzParseSet(f *testing.F) {
	for _, p := range []party{edDSA(f), hs256(f)} {
		for _, key := range []*jose.Key{p.key, p.key.Public()} {
			text, err := jose.MarshalSet(members(key))
			require.NoError(f, err)
			f.Add(text)
		}
	}
	f.Add([]byte(`{"keys":[{"kty":"EC","crv":"P-256","kid":"b","x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU",` +
		`"y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0","d":"jpsQnnGQmL-YBIffH1136cspYG6-0iY7X1fCE9-E9LI"}]}`))
	f.Add([]byte(`{"keys":[]}`))
	f.Add([]byte(`{"keys":[{"kty":"OKP","crv":"X25519","kid":"a","x":"AA"}]}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		set, err := jose.ParseSet(text)
		if err != nil {
			return
		}
		require.True(t, json.Valid(text))
		again, err := jose.MarshalSet(set)
		require.NoError(t, err)
		back, err := jose.ParseSet(again)
		require.NoError(t, err)
		require.Len(t, back, len(set))
		for n, member := range set {
			key := member.Key
			require.Equal(t, member.Prepared, back[n].Prepared)
			require.Equal(t, member.SignedUntil, back[n].SignedUntil)
			require.Equal(t, key.ID(), back[n].Key.ID())
			require.Equal(t, key.CanSign(), back[n].Key.CanSign())
			if !key.CanSign() {
				continue
			}
			token, err := key.AppendSigned(nil, jose.Link, []byte(claims))
			require.NoError(t, err)
			_, err = jose.Verify(string(token), jose.Link, []*jose.Key{back[n].Key.Public()})
			require.NoError(t, err)
		}
	})
}
