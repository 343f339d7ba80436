package contracttest

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v4"
)

type object = map[string]any

func parse(tb testing.TB, text []byte) object {
	tb.Helper()
	var document object
	require.NoError(tb, yaml.Unmarshal(text, &document))
	return document
}

// comparison looks for what a document promises and another one does not. Descriptions may differ.
type comparison struct{ published, served object }

// missing lists the places at which served does not contain what published has.
func (c comparison) missing(at string, published, served any) []string {
	published, served = resolve(c.published, published), resolve(c.served, served)
	switch want := published.(type) {
	case object:
		have, ok := served.(object)
		if !ok {
			return []string{at}
		}
		if all, ok := have["allOf"].([]any); ok && want["allOf"] == nil {
			return c.inAny(at, want, all) // a schema that asks for the published one and for more
		}
		return c.members(at, want, have)
	case []any:
		have, _ := served.([]any)
		var list []string
		for n, element := range want {
			list = append(list, c.inAny(fmt.Sprintf("%s[%d]", at, n), element, have)...)
		}
		return list
	}
	if published != served {
		return []string{at}
	}
	return nil
}

func (c comparison) members(at string, want, have object) []string {
	var list []string
	for name, value := range want {
		if name == "description" {
			if _, text := value.(string); text {
				continue
			}
		}
		other, ok := have[name]
		if !ok {
			list = append(list, at+"/"+name)
			continue
		}
		list = append(list, c.missing(at+"/"+name, value, other)...)
	}
	return list
}

func (c comparison) inAny(at string, want any, have []any) []string {
	for _, element := range have {
		if len(c.missing(at, want, element)) == 0 {
			return nil
		}
	}
	return []string{at}
}

// resolve follows a reference into its document.
func resolve(document object, value any) any {
	members, _ := value.(object)
	reference, ok := members["$ref"].(string)
	if !ok {
		return value
	}
	var at any = document
	for name := range strings.SplitSeq(strings.TrimPrefix(reference, "#/"), "/") {
		at = at.(object)[name]
	}
	return at
}

func TestServedDocumentContainsThePublishedOne(t *testing.T) {
	text, err := os.ReadFile("testdata/openapi-spec.yaml")
	require.NoError(t, err)
	published := parse(t, text)
	for _, own := range []string{"info", "servers"} { // what is each server's own
		delete(published, own)
	}
	compare := func(change func(served object)) []string {
		served := parse(t, servedDocument())
		change(served)
		return comparison{published, served}.missing("", published, served)
	}
	require.Empty(t, compare(func(object) {}))

	controls := map[string]func(object){
		"/paths":   func(d object) { delete(d, "paths") },
		"/openapi": func(d object) { d["openapi"] = "3.0.0" },
		"/paths//v0/auth/magic-link/post/responses/404": func(d object) {
			operation := d["paths"].(object)["/v0/auth/magic-link"].(object)["post"].(object)
			delete(operation["responses"].(object), "404")
		},
		"/components/schemas/MagicLinkCreate/properties/ttl/maximum": func(d object) {
			schema := d["components"].(object)["schemas"].(object)["MagicLinkCreate"].(object)
			schema["properties"].(object)["ttl"].(object)["maximum"] = 16
		},
	}
	for place, change := range controls {
		require.Contains(t, compare(change), place, "control: the difference is seen")
	}
}

// Generated clients read a YAML answer into the type of its schema, so a document is an object and not a string.
func TestDocumentDescribesItselfAsAnObject(t *testing.T) {
	for path, mediaType := range map[string]string{"/openapi.yaml": "application/yaml", "/openapi.json": "application/json"} {
		at := parse(t, servedDocument())["paths"].(object)[path].(object)
		for _, name := range []string{"get", "responses", "200", "content", mediaType, "schema"} {
			at = at[name].(object)
		}
		require.Equal(t, "object", at["type"])
	}
}

// The document that is validated here is the one that the API serves.
func TestDocumentIsServed(t *testing.T) {
	s := newService(t)
	got := s.send(t, request{method: "GET", path: "/openapi.yaml"})
	require.Equal(t, 200, got.status)
	require.Equal(t, string(servedDocument()), string(got.body))
	require.Empty(t, complaints(t, "served", "GET", "/openapi.yaml", got))
	keys := s.send(t, request{method: "GET", path: "/.well-known/jwks.json"})
	require.Equal(t, 200, keys.status)
	require.Empty(t, complaints(t, "served", "GET", "/.well-known/jwks.json", keys))
}
