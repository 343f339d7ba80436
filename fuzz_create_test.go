package magiclink_test

import (
	"encoding/json"
	"math/big"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/magiclink-go/magiclink"
)

// FuzzUnmarshalCreate holds the strict reader against encoding/json: what the strict one accepts the lax one accepts, too,
// and both read the same values.
func FuzzUnmarshalCreate(f *testing.F) {
	for _, body := range []string{
		"", "null", "{}", `{"external_business_id":"a"}`, withID(`"ttl":5`), withID(`"ttl":1.5e1`), withID(`"ttl":0`),
		withID(`"ttl":1e400`), withID(`"session_timeout":79488e2`), withID(`"email":"A.b@Example.COM"`), withID(`"path":"\/a?b#c"`),
		withID(`"ttl":5,"ttl":6`), withID(`"TTL":5,"Ttl":6`), withID(`"x":[{"a":null,"b":[]},"\ud83d\ude00"]`),
		withID(`"x":"\ud800"`), withID(`"x":` + repeat("[", 63) + repeat("]", 63)), withID(members(20)),
		`{"business_id":null,"external_business_id":"\u00e9","path":null}`, " \n" + withID(`"ttl":10`) + "\t",
	} {
		f.Add([]byte(body))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		var in magiclink.MagicLinkCreate
		if err := in.UnmarshalJSON(body); err != nil {
			require.Zero(t, in)
			return
		}
		decoder := json.NewDecoder(strings.NewReader(string(body)))
		decoder.UseNumber()
		var lax map[string]any
		require.NoError(t, decoder.Decode(&lax))
		sameText(t, lax, "business_id", in.BusinessID)
		sameText(t, lax, "external_business_id", in.ExternalBusinessID)
		sameText(t, lax, "email", in.Email)
		sameText(t, lax, "path", in.Path)
		sameNumber(t, lax, "ttl", in.TTL, 15)
		sameNumber(t, lax, "session_timeout", in.SessionTimeout, 7948800)
		require.True(t, in.BusinessID != "" || in.ExternalBusinessID != "")
	})
}

func sameText(t *testing.T, lax map[string]any, name, got string) {
	t.Helper()
	want, ok := lax[name].(string)
	require.Equal(t, want, got)
	require.Equal(t, ok, got != "", "a string that is there is not empty")
}

func sameNumber(t *testing.T, lax map[string]any, name string, got, most int) {
	t.Helper()
	number, ok := lax[name].(json.Number)
	if !ok {
		require.NotContains(t, lax, name)
		require.Zero(t, got)
		return
	}
	require.LessOrEqual(t, 1, got)
	require.LessOrEqual(t, got, most)
	if len(number) > 50 || strings.Count(strings.ToLower(string(number)), "e") > 0 && len(number) > 8 {
		return // a big.Rat of a huge exponent would take all memory
	}
	want, ok := new(big.Rat).SetString(string(number))
	require.True(t, ok)
	require.Zero(t, want.Cmp(big.NewRat(int64(got), 1)), "%s is not %d", number, got)
}
