package strictjson_test

import (
	"encoding/json"
	"math"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/magiclink-go/magiclink/internal/strictjson"
)

// value reads one JSON value.
func value(tb testing.TB, raw string) (v strictjson.Value) {
	tb.Helper()
	err := strictjson.Object([]byte(`{"v":`+raw+`}`), func(_ []byte, value strictjson.Value) error {
		v = value
		return nil
	})
	require.NoError(tb, err, raw)
	return v
}

func TestKinds(t *testing.T) {
	for raw, kind := range map[string]strictjson.Kind{
		"null": strictjson.Null, "true": strictjson.Bool, "false": strictjson.Bool, "0": strictjson.Number, "-1e5": strictjson.Number,
		`""`: strictjson.String, `"null"`: strictjson.String, "[]": strictjson.Composite, "{}": strictjson.Composite,
	} {
		v := value(t, raw)
		require.Equal(t, kind, v.Kind, raw)
		require.Equal(t, raw, string(v.Raw))
	}
}

func TestInt(t *testing.T) {
	for raw, want := range map[string]int64{
		"0": 0, "-0": 0, "0.0": 0, "-0.00e-99": 0, "0e999999999999": 0, "5": 5, "5.0": 5, "50e-1": 5, "5e0": 5, "5E+00": 5, "0.5e1": 5, "0.05e2": 5,
		"1e1": 10, "1.5e1": 15, "10": 10, "100": 100, "1e2": 100, "-7": -7, "-70e-1": -7, "1200e-2": 12, "9007199254740993": 9007199254740993,
		"9223372036854775807": math.MaxInt64, "-9223372036854775808": math.MinInt64, "9223372036854775807.0": math.MaxInt64, "922337203685477580.7e1": math.MaxInt64,
		"9223372036854775808": math.MaxInt64, "-9223372036854775809": math.MinInt64, "1e18": 1e18, "1e19": math.MaxInt64, "-1e19": math.MinInt64, "1e400": math.MaxInt64,
		"-1e400": math.MinInt64, "1e99999999999999999999": math.MaxInt64, "1" + strings.Repeat("0", 10_000): math.MaxInt64, "1" + strings.Repeat("0", 400) + "e-400": 1,
		"0." + strings.Repeat("0", 400) + "1e401": 1, "5." + strings.Repeat("0", 10_000): 5, "1e2147483647": math.MaxInt64, "1e2147483648": math.MaxInt64, "1e1073741824": math.MaxInt64,
	} {
		got, ok := value(t, raw).Int()
		require.True(t, ok, raw)
		require.Equal(t, want, got, raw)
	}
	for _, raw := range []string{
		"5.5", "0.1", "-0.5", "1e-1", "1e-400", "1e-99999999999999999999", "15e-1", "1.05e1", "5." + strings.Repeat("0", 400) + "1", "9223372036854775807.5",
		"1e-2147483648", "1e-2147483649", "10e-1073741824", `"5"`, "null", "true", "[5]", "{}", `""`,
	} {
		_, ok := value(t, raw).Int()
		require.False(t, ok, raw)
	}
}

func TestUnixTime(t *testing.T) {
	for raw, want := range map[string]int64{"0": 0, "1": 1, "1773489607": 1773489607, "999999999999": 999999999999} {
		got, ok := value(t, raw).UnixTime()
		require.True(t, ok, raw)
		require.Equal(t, want, got)
	}
	for _, raw := range []string{"-1", "-0", "1.0", "1e3", "1E3", "1000000000000", "1e300", "1.5", `"1773489607"`, "null", "true", "[]", "{}", "0.0"} {
		_, ok := value(t, raw).UnixTime()
		require.False(t, ok, raw)
	}
}

func TestText(t *testing.T) {
	for raw, want := range map[string]string{
		`""`: "", `"a"`: "a", `"ä😀"`: "ä😀", `"\"\\\/\b\f\n\r\t"`: "\"\\/\b\f\n\r\t", `"\u00e4\u0000\uFFFF"`: "ä\x00\uffff", `"\ud83d\ude00"`: "😀", `"\uD83D\uDE00x"`: "😀x",
		`"\ufffd"`: "\ufffd", `"\u2028` + "\u2028\u007f" + `"`: "\u2028\u2028\u007f", `"a\u0062c"`: "abc", `"\ud7ff\ue000"`: "\ud7ff\ue000", `"\udbff\udfff"`: "\U0010ffff",
		"5": "", "null": "", "[]": "", "true": "",
	} {
		require.Equal(t, want, value(t, raw).Text(), raw)
	}
}

func TestElements(t *testing.T) {
	for raw, want := range map[string][]string{
		"[]": nil, "[ ]": nil, "[1]": {"1"}, `[ 1 , "a,]" , [2,[3]] , {"b":[4]} , null ]`: {"1", `"a,]"`, "[2,[3]]", `{"b":[4]}`, "null"},
	} {
		var got []string
		require.True(t, value(t, raw).Elements(func(v strictjson.Value) bool {
			got = append(got, string(v.Raw))
			return true
		}))
		require.Equal(t, want, got)
	}
	for _, raw := range []string{"{}", `"[]"`, "null", "5", "true"} {
		require.False(t, value(t, raw).Elements(func(strictjson.Value) bool { panic("called") }), raw)
	}
	calls := 0
	require.True(t, value(t, "[1,2,3]").Elements(func(strictjson.Value) bool { calls++; return calls < 2 }))
	require.Equal(t, 2, calls, "it stops when it is told to")
}

func TestAppendString(t *testing.T) {
	for text, want := range map[string]string{
		"": `""`, "a": `"a"`, `"\`: `"\"\\"`, "\x00\n\x1f": `"\u0000\u000a\u001f"`, "ä😀\u2028\x7f": "\"ä😀\u2028\x7f\"", "a\xffb": "\"a\ufffdb\"", "</script>": `"</script>"`,
	} {
		got := string(strictjson.AppendString([]byte("before"), text))
		require.Equal(t, "before"+want, got)
		var back string
		require.NoError(t, json.Unmarshal([]byte(want), &back))
		require.Equal(t, strings.ToValidUTF8(text, "\ufffd"), back)
		require.Equal(t, back, value(t, want).Text())
	}
}
