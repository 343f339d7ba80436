package magiclink_test

import (
	"encoding/base64"
	"fmt"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func repeat(s string, n int) string { return strings.Repeat(s, n) }

func zeros(n int) string { return repeat("0", n) }

// members makes n members of different names.
func members(n int) string {
	list := make([]string, n)
	for i := range list {
		list[i] = `"m` + strconv.Itoa(i) + `":0`
	}
	return strings.Join(list, ",")
}

// short makes a readable name of a text for a subtest.
func short(s string) string {
	if len(s) > 100 {
		return fmt.Sprintf("%.80q and %d bytes", s, len(s)-80)
	}
	return fmt.Sprintf("%q", s)
}

func unbase64(tb testing.TB, text string) []byte {
	tb.Helper()
	data, err := base64.RawURLEncoding.DecodeString(text)
	require.NoError(tb, err)
	return data
}
