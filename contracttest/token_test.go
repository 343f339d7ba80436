package contracttest

import (
	"encoding/base64"
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/magiclink-go/magiclink/httpadapter"
)

// form is a body of these names and values, each encoded.
func form(pairs ...string) string {
	var list []string
	for n := 0; n < len(pairs); n += 2 {
		list = append(list, url.QueryEscape(pairs[n])+"="+url.QueryEscape(pairs[n+1]))
	}
	return strings.Join(list, "&")
}

// asked is a request for a token with credentials in the form and these parameters beside them.
func asked(pairs ...string) request {
	return plain(append([]string{"client_id", "crm", "client_secret", secret}, pairs...)...)
}

// plain is a request for a token with these parameters alone.
func plain(pairs ...string) request {
	return request{
		method: http.MethodPost, path: httpadapter.TokenPath, body: form(pairs...),
		header: http.Header{"Content-Type": {"application/x-www-form-urlencoded"}},
	}
}

func (r request) with(changes ...spoil) request {
	for _, change := range changes {
		change(&r)
	}
	return r
}

// basic is HTTP Basic with both parts form-encoded, as RFC 6749 section 2.3.1 has it.
func basic(id, secret string) spoil { return rawBasic(url.QueryEscape(id), url.QueryEscape(secret)) }

func rawBasic(id, secret string) spoil {
	return header("Authorization", "Basic "+base64.StdEncoding.EncodeToString([]byte(id+":"+secret)))
}

// refusal is an answer of the token endpoint that is not a token.
type refusal struct {
	status int
	code   string
}

var (
	invalidRequest = refusal{422, "invalid_request"}
	invalidClient  = refusal{401, "invalid_client"}
	invalidTarget  = refusal{422, "invalid_target"}
	malformedScope = refusal{422, "invalid_scope"}
	notGranted     = refusal{403, "invalid_scope"}
)

type grant struct {
	AccessToken string `json:"access_token"`
	TokenType   string `json:"token_type"`
	ExpiresIn   int64  `json:"expires_in"`
	Scope       string `json:"scope"`
}

// granted demands a token and returns it with its claims.
func (s *service) granted(tb testing.TB, r request) (grant, object) {
	tb.Helper()
	got := s.send(tb, r)
	require.Equal(tb, http.StatusOK, got.status, "%s", got.body)
	checkTokenHeaders(tb, r, got)
	got.members(tb, "access_token", "token_type", "expires_in", "scope") // and no refresh_token
	var g grant
	require.NoError(tb, json.Unmarshal(got.body, &g))
	require.Equal(tb, "Bearer", g.TokenType)
	return g, part(tb, g.AccessToken, 1)
}

// refused demands this refusal and returns the answer.
func (s *service) refused(tb testing.TB, r request, want refusal) answer {
	tb.Helper()
	got := s.send(tb, r)
	require.Equal(tb, want.status, got.status, "%s", got.body)
	checkTokenHeaders(tb, r, got)
	object := got.members(tb, "error", "error_description", "data")
	require.Equal(tb, want.code, object["error"])
	require.NotEmpty(tb, object["error_description"])
	require.Nil(tb, object["data"])
	require.NotContains(tb, string(got.body), "eyJ")
	return got
}

func checkTokenHeaders(tb testing.TB, r request, got answer) {
	tb.Helper()
	require.Equal(tb, []string{"application/json"}, got.header.Values("Content-Type"))
	require.Equal(tb, []string{"no-store"}, got.header.Values("Cache-Control"))
	require.Equal(tb, []string{"no-cache"}, got.header.Values("Pragma"))
	require.Equal(tb, []string{"nosniff"}, got.header.Values("X-Content-Type-Options"))
	challenge := map[bool]string{true: `Basic realm="magiclink"`}[got.status == http.StatusUnauthorized]
	require.Equal(tb, challenge, got.header.Get("WWW-Authenticate"))
	require.Equal(tb, got.status == http.StatusServiceUnavailable, got.header.Get("Retry-After") != "")
	checkDocuments(tb, r, got)
}

// part decodes one part of a compact token.
func part(tb testing.TB, token string, n int) object {
	tb.Helper()
	parts := strings.Split(token, ".")
	require.Len(tb, parts, 3)
	text, err := base64.RawURLEncoding.DecodeString(parts[n])
	require.NoError(tb, err)
	var members object
	require.NoError(tb, json.Unmarshal(text, &members))
	return members
}

// ask is one row of a table: a request for a token that is refused.
type ask struct {
	name    string
	request request
	want    refusal
}

func (s *service) refuse(t *testing.T, asks []ask) {
	t.Helper()
	for _, ask := range asks {
		t.Run(ask.name, func(t *testing.T) { s.refused(t, ask.request, ask.want) })
	}
	s.granted(t, asked()) // control
}
