package jose_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/magiclink-go/magiclink/internal/jose"
)

func TestSetRoundTrip(t *testing.T) {
	first := edDSA(t).key
	second, err := jose.NewKey("second", rawES256(t))
	require.NoError(t, err)
	text, err := jose.MarshalSet(members(first, second))
	require.NoError(t, err)
	set, err := jose.ParseSet(text)
	require.NoError(t, err)
	keys := keysOf(set)
	require.Len(t, keys, 2)
	for n, want := range []*jose.Key{first, second} {
		require.Equal(t, want.ID(), keys[n].ID())
		require.Equal(t, want.Algorithm(), keys[n].Algorithm())
		require.True(t, keys[n].CanSign())
		token, err := keys[n].AppendSigned(nil, jose.Link, []byte(claims))
		require.NoError(t, err)
		_, err = jose.Verify(string(token), jose.Link, []*jose.Key{want.Public()})
		require.NoError(t, err)
	}
}

func TestSetOfPublicKeys(t *testing.T) {
	text, err := jose.MarshalSet(members(edDSA(t).key.Public()))
	require.NoError(t, err)
	require.NotContains(t, string(text), `"d"`)
	set, err := jose.ParseSet(text)
	require.NoError(t, err)
	require.False(t, set[0].Key.CanSign())
	empty, err := jose.MarshalSet(nil)
	require.NoError(t, err)
	require.JSONEq(t, `{"keys":[]}`, string(empty))
}

func TestParseSetNamesThePlace(t *testing.T) {
	good := `{"kty":"oct","kid":"c","k":"` + encode(seed) + `"}`
	_, err := jose.ParseSet([]byte(`{"keys":[` + good + `]}`))
	require.NoError(t, err)
	_, err = jose.ParseSet([]byte(`{"keys":[` + good + `,` + good[:len(good)-1] + `,"use":"enc"}]}`))
	require.ErrorContains(t, err, "key 2 of the JWK set")
	require.NotContains(t, err.Error(), encode(seed)[:8])
}

func TestKeyIDs(t *testing.T) {
	for id, ok := range map[string]bool{
		"k": true, "key_GA6EG2qFxA97NZHtxeLPUy": true, "a/b+c=": true, "<&>": true, strings.Repeat("k", 128): true,
		strings.Repeat("k", 129): false, "a b": false, "a\n": false, `a"`: false, `a\`: false, "ä": false, "\xff": false, "\x7f": false,
	} {
		key, err := jose.NewKey(id, seed)
		require.Equal(t, ok, err == nil, id)
		if ok {
			p := party{key: key, sign: func(signed string) []byte { return mac(seed, signed) }}
			require.Equal(t, id, key.ID())
			p.signed(t)
		}
	}
}
