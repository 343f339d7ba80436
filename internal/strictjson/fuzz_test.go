package strictjson_test

import (
	"bytes"
	"encoding/json"
	"io"
	"reflect"
	"regexp"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/require"

	"github.com/magiclink-go/magiclink/internal/strictjson"
)

// FuzzObject holds the reader against encoding/json. Accepted means: one object, valid, the same members with the same
// values. And what is one object without duplicates, in valid UTF-8 and not too deep, is accepted.
func FuzzObject(f *testing.F) {
	for _, text := range []string{
		"", "{}", `{"a":1}`, `{"a":1,"a":2}`, `{"a":{"b":[1,{"c":null}]}}`, `{"a":"\ud83d\ude00","\u0061":1}`, `{"a":"\ud800"}`, "{\"a\":\"\xff\"}",
		`{"a":-1.5e+3,"b":0.0,"c":1E5}`, " {\t} ", `{"a":[true,false,null,"x\n"]}`, `{"a":1}x`, `{"a":` + strings.Repeat("[", 63) + strings.Repeat("]", 63) + `}`,
		`{"a":` + strings.Repeat("[", 64) + strings.Repeat("]", 64) + `}`, `{"":0,"A":0,"a":0}`, `[{}]`, `{"a":"\u0000\/\b"}`,
	} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		members := map[string]any{}
		err := strictjson.Object(text, func(name []byte, value strictjson.Value) error {
			require.NotContains(t, members, string(name))
			members[string(name)] = decode(t, value)
			return nil
		})
		require.Equal(t, acceptable(text), err == nil, "%q: %v", text, err)
		if err != nil {
			return
		}
		var want map[string]any
		decoder := json.NewDecoder(bytes.NewReader(text))
		decoder.UseNumber()
		require.NoError(t, decoder.Decode(&want))
		require.True(t, reflect.DeepEqual(want, members), "%v is not %v", members, want)

		again, err := json.Marshal(members)
		require.NoError(t, err)
		require.NoError(t, strictjson.Object(again, func([]byte, strictjson.Value) error { return nil }))
	})
}

// decode builds a value with our own reader where it reads that kind, and with encoding/json elsewhere.
func decode(t *testing.T, value strictjson.Value) any {
	t.Helper()
	require.True(t, json.Valid(value.Raw), "%q", value.Raw)
	switch value.Kind {
	case strictjson.String:
		text := value.Text()
		require.Equal(t, text, decodeLax(t, strictjson.AppendString(nil, text)), "it survives being written")
		return text
	case strictjson.Number:
		_, ok := value.UnixTime()
		require.Equal(t, regexp.MustCompile(`^[0-9]{1,12}$`).Match(value.Raw), ok)
		value.Int()
	case strictjson.Composite:
		list := []any{}
		if value.Elements(func(one strictjson.Value) bool { list = append(list, decode(t, one)); return true }) {
			return list
		}
	}
	return decodeLax(t, value.Raw)
}

func decodeLax(t *testing.T, raw []byte) (value any) {
	t.Helper()
	decoder := json.NewDecoder(bytes.NewReader(raw))
	decoder.UseNumber()
	require.NoError(t, decoder.Decode(&value))
	return value
}

// acceptable is the rule written down a second time, with the tokens of encoding/json.
func acceptable(text []byte) bool {
	if !utf8.Valid(text) || !json.Valid(text) || bytes.TrimLeft(text, " \t\r\n")[0] != '{' || loneSurrogate(text) {
		return false
	}
	type level struct {
		names map[string]bool // nil in an array
		value bool            // a value comes next
	}
	var levels []level
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.UseNumber()
	for {
		token, err := decoder.Token()
		if err == io.EOF {
			return true
		}
		if token == json.Delim('}') || token == json.Delim(']') {
			levels = levels[:len(levels)-1]
			continue
		}
		if top := len(levels) - 1; top >= 0 && levels[top].names != nil {
			if !levels[top].value {
				name := token.(string)
				if levels[top].names[name] {
					return false
				}
				levels[top].names[name] = true
			}
			levels[top].value = !levels[top].value
		}
		switch token {
		case json.Delim('{'):
			levels = append(levels, level{names: map[string]bool{}})
		case json.Delim('['):
			levels = append(levels, level{})
		}
		if len(levels) > strictjson.MaxDepth {
			return false
		}
	}
}

// loneSurrogate takes out what is right, and looks for what is left.
func loneSurrogate(text []byte) bool {
	text = regexp.MustCompile(`\\[^u]`).ReplaceAll(text, nil)
	text = regexp.MustCompile(`(?i)\\ud[89ab]..\\ud[c-f]..`).ReplaceAll(text, nil)
	return regexp.MustCompile(`(?i)\\ud[89a-f]`).Match(text)
}
