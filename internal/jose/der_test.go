package jose_test

import (
	"encoding/asn1"
	"math/big"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/magiclink-go/magiclink/internal/jose"
)

type rs struct{ R, S *big.Int }

func TestFixedWidth(t *testing.T) {
	widest := new(big.Int).Sub(new(big.Int).Lsh(big.NewInt(1), 256), big.NewInt(1))
	for _, r := range []*big.Int{big.NewInt(1), big.NewInt(127), big.NewInt(128), big.NewInt(1 << 40), widest} {
		for _, s := range []*big.Int{big.NewInt(1), big.NewInt(255), widest} {
			der, err := asn1.Marshal(rs{r, s})
			require.NoError(t, err)
			got, err := jose.FixedWidth(der)
			require.NoError(t, err)
			require.Equal(t, append(r.FillBytes(make([]byte, 32)), s.FillBytes(make([]byte, 32))...), got)
		}
	}
}

func TestFixedWidthRefuses(t *testing.T) {
	tooWide := "3026022101" + "0000000000000000000000000000000000000000000000000000000000000000" + "020101"
	for name, der := range map[string]string{
		"nothing": "", "tag alone": "30", "empty sequence": "3000", "one number": "3003020101", "three numbers": "3009020101020101020101",
		"a byte behind": "300602010102010100", "a byte behind, counted": "300702010102010100", "another tag": "3106020101020101",
		"too long": "3007020101020101", "too short": "3005020101020101", "long length": "308106020101020101", "indefinite": "30800201010201010000",
		"number with a long length": "300702810101020101", "empty number": "30050200020101", "not a number": "3006040101020101",
		"negative": "30060201ff020101", "zero": "3006020100020101", "second zero": "3006020101020100", "negative zero": "300702020080020180",
		"padded": "300702020001020101", "padded second": "300702010102020001", "number longer than the rest": "3006020101020201",
		"33 bytes": tooWide,
	} {
		_, err := jose.FixedWidth(unhex(t, der))
		require.Error(t, err, name)
	}
	_, err := jose.FixedWidth(unhex(t, "3006020101020101"))
	require.NoError(t, err, "the control")
}

// FuzzFixedWidth compares the reader with encoding/asn1: it accepts exactly the texts that encoding/asn1 writes for two
// positive numbers of at most 32 bytes.
func FuzzFixedWidth(f *testing.F) {
	for _, der := range []string{
		"3006020101020101", "3008020200800202008f", "30060201ff020101", "308106020101020101", "300702010102010100",
		"304502207fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff022100ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
	} {
		f.Add(unhex(f, der))
	}
	f.Fuzz(func(t *testing.T, der []byte) {
		got, err := jose.FixedWidth(der)
		var want rs
		rest, parseErr := asn1.Unmarshal(der, &want)
		good := parseErr == nil && len(rest) == 0 && want.R.Sign() > 0 && want.S.Sign() > 0 &&
			want.R.BitLen() <= 256 && want.S.BitLen() <= 256
		if good {
			canonical, err := asn1.Marshal(want)
			require.NoError(t, err)
			good = string(canonical) == string(der) // encoding/asn1 takes elements behind the last of a sequence
		}
		require.Equal(t, good, err == nil, "%x", der)
		if good {
			require.Equal(t, append(want.R.FillBytes(make([]byte, 32)), want.S.FillBytes(make([]byte, 32))...), got)
		}
	})
}
