package strictjson_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/magiclink-go/magiclink/internal/strictjson"
)

// read returns the members of an object in order, as "name=raw value".
func read(text string) ([]string, error) {
	var members []string
	err := strictjson.Object([]byte(text), func(name []byte, value strictjson.Value) error {
		members = append(members, string(name)+"="+string(value.Raw))
		return nil
	})
	return members, err
}

func TestObject(t *testing.T) {
	for text, want := range map[string][]string{
		`{}`:                               nil,
		" \t\r\n{ \n} ":                    nil,
		`{"a":1}`:                          {"a=1"},
		`{ "a" : 1 , "b" : [ ] }`:          {"a=1", "b=[ ]"},
		`{"b":true,"a":false,"c":null}`:    {"b=true", "a=false", "c=null"},
		`{"a":"x\n","":{"a":1}}`:           {`a="x\n"`, `={"a":1}`},
		`{"\u0061\ud83d\ude00\/":-1.5e+3}`: {"a😀/=-1.5e+3"},
		`{"a":[1,{"b":[]},"c"]}`:           {`a=[1,{"b":[]},"c"]`},
		`{"a":1,"A":2,"ä":3,"a ":4}`:       {"a=1", "A=2", "ä=3", "a =4"},
		`{"a":{"b":1},"c":{"b":1}}`:        {`a={"b":1}`, `c={"b":1}`},
	} {
		got, err := read(text)
		require.NoError(t, err, text)
		require.Equal(t, want, got, text)
	}
}

func TestObjectRefuses(t *testing.T) {
	_, err := read(`{"a":1}`)
	require.NoError(t, err)
	for _, text := range []string{
		"", " ", "null", "5", `"a"`, "[]", "[{}]", "x", "\ufeff{}",
	} {
		_, err := read(text)
		require.ErrorIs(t, err, strictjson.ErrNotObject, text)
	}
	for text, offset := range map[string]int{
		`{`: 1, `{"a"`: 4, `{"a":`: 5, `{"a":1`: 6, `{"a":1,`: 7, `{"a":1,}`: 7, `{,}`: 1, `{a:1}`: 1, `{"a" 1}`: 5, `{"a":1 "b":2}`: 7,
		`{}{}`: 2, `{} x`: 3, "{}\x00": 2, `{"a":[1,]}`: 8, `{"a":[1 2]}`: 8, `{"a":[}`: 6, `{"a":tru}`: 5, `{"a":nul}`: 5, `{"a":truex}`: 9,
		`{"a":01}`: 6, `{"a":1.}`: 7, `{"a":-}`: 6, `{"a":+1}`: 5, `{"a":.5}`: 5, `{"a":1e}`: 7, `{"a":1e+}`: 8, `{"a":0x1}`: 6, `{"a":1.e1}`: 7,
		`{"a":"` + "\t" + `"}`: 6, `{"a":"\x"}`: 6, `{"a":"\u12g4"}`: 8, `{"a":"\u12"}`: 8, `{"a":"b`: 7, `{"a":"\`: 6, `{"a":"\ud800"}`: 12,
		"{\"a\":\"\xff\"}": 6, "{\"\xc3\":1}": 2, "\xff": 0, "{} \x80": 3, "{\"a\":\"\xed\xa0\x80\"}": 6,
		`{"a":1,"a":1}`: 7, `{"a":{"b":1,"b":2}}`: 12, `{"a":1,"\u0061":1}`: 7,
	} {
		_, err := read(text)
		var syntax *strictjson.SyntaxError
		require.ErrorAs(t, err, &syntax, text)
		require.Equal(t, offset, syntax.Offset, "%s: %v", text, err)
		require.NotEmpty(t, syntax.Reason)
	}
}

func TestDepth(t *testing.T) {
	for _, brackets := range [][3]string{{"[", "]", "[]"}, {`{"a":`, "}", "{}"}} {
		nest := func(depth int) string {
			inner := strings.Repeat(brackets[0], depth-2) + brackets[2] + strings.Repeat(brackets[1], depth-2)
			return `{"a":` + inner + `}`
		}
		_, err := read(nest(strictjson.MaxDepth))
		require.NoError(t, err)
		_, err = read(nest(strictjson.MaxDepth + 1))
		require.ErrorContains(t, err, "nested too deeply")
		_, err = read(`{"a":` + strings.Repeat(brackets[0], 1_000_000))
		require.ErrorContains(t, err, "nested too deeply")
	}
}

func TestObjectStopsAtTheFirstErrorOfMember(t *testing.T) {
	stop := errors.New("stop")
	calls := 0
	err := strictjson.Object([]byte(`{"a":1,"b":2} and more`), func([]byte, strictjson.Value) error {
		calls++
		return stop
	})
	require.ErrorIs(t, err, stop)
	require.Equal(t, 1, calls)
}

// Few names are compared one by one, many in a map: the change from one to the other loses none.
func TestDuplicatesAmongAnyNumberOfNames(t *testing.T) {
	for total := 1; total <= 40; total++ {
		names := make([]string, total)
		for n := range names {
			names[n] = `"` + strings.Repeat("x", n) + `":0`
		}
		_, err := read("{" + strings.Join(names, ",") + "}")
		require.NoError(t, err)
		for _, again := range names {
			_, err := read("{" + strings.Join(names, ",") + "," + again + "}")
			require.ErrorContains(t, err, "duplicate", "%d names", total)
		}
	}
}

func TestFaultsQuoteNoText(t *testing.T) {
	for _, text := range []string{`{"canary":1,"canary":2}`, `{"a":canary}`, `canary`, `{"canary`, `{"a":"canary\q"}`, "{\"canary\xff\"}", `{}canary`} {
		_, err := read(text)
		require.Error(t, err)
		require.NotContains(t, err.Error(), "canary")
	}
}

func TestObjectAllocatesNothingForPlainText(t *testing.T) {
	text := []byte(`{"iss":"https://app.example.com","aud":["a","b"],"exp":1773489607,"nested":{"a":[1,2,3]}}`)
	got := testing.AllocsPerRun(100, func() {
		require.NoError(t, strictjson.Object(text, func([]byte, strictjson.Value) error { return nil }))
	})
	require.Zero(t, got)
}
