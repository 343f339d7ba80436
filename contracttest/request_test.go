package contracttest

import (
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/magiclink-go/magiclink/httpadapter"
)

const goodBody = `{"business_id":"` + acme + `"}`

// request is what a test sends.
type request struct {
	method  string
	path    string // with its query
	header  http.Header
	body    string
	chunked bool // sent without a Content-Length
}

// spoil changes one thing about a request that is accepted as it is.
type spoil = func(*request)

func (s *service) good(tb testing.TB, changes ...spoil) request {
	tb.Helper()
	r := request{
		method: http.MethodPost,
		path:   httpadapter.IssuePath,
		header: http.Header{"Content-Type": {"application/json"}, "Authorization": {"Bearer " + s.access(tb)}},
		body:   goodBody,
	}
	for _, change := range changes {
		change(&r)
	}
	return r
}

func body(text string) spoil    { return func(r *request) { r.body = text } }
func path(text string) spoil    { return func(r *request) { r.path = text } }
func method(name string) spoil  { return func(r *request) { r.method = name } }
func bearer(token string) spoil { return header("Authorization", "Bearer "+token) }
func chunked(r *request)        { r.chunked = true }

// header replaces a header by these values; without any it removes it.
func header(name string, values ...string) spoil {
	return func(r *request) {
		r.header = r.header.Clone()
		r.header[name] = values
	}
}

// client follows no redirection: the answer that redirects is the one that is looked at.
var client = &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}

// answer is what came back.
type answer struct {
	status int
	header http.Header
	body   []byte
}

func (s *service) send(tb testing.TB, r request) answer {
	tb.Helper()
	var content io.Reader = strings.NewReader(r.body)
	if r.chunked {
		content = io.MultiReader(content) // whose length http.NewRequest cannot tell
	}
	out, err := http.NewRequestWithContext(tb.Context(), r.method, s.url+r.path, content)
	require.NoError(tb, err)
	out.Header = r.header
	in, err := client.Do(out)
	require.NoError(tb, err)
	defer func() { require.NoError(tb, in.Body.Close()) }()
	text, err := io.ReadAll(in.Body)
	require.NoError(tb, err)
	return answer{status: in.StatusCode, header: in.Header, body: text}
}

// members decodes the body as a JSON object and demands exactly these members.
func (a answer) members(tb testing.TB, names ...string) map[string]any {
	tb.Helper()
	var object map[string]any
	require.NoError(tb, json.Unmarshal(a.body, &object), "%s", a.body)
	require.Len(tb, object, len(names), "%s", a.body)
	for _, name := range names {
		require.Contains(tb, object, name)
	}
	return object
}
