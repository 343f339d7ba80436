package contracttest

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// want is the answer that the contract has for a request.
type want struct {
	status    int
	challenge string   // WWW-Authenticate, exactly
	fields    []string // "field:rule" of each broken field, in order
	says      string   // a part of the "error" member, where a test pins the cause
}

const realm = `Bearer realm="magiclink"`

var (
	created       = want{status: http.StatusCreated}
	noCredentials = want{status: http.StatusUnauthorized, challenge: realm, says: "is needed"}
	invalidToken  = want{status: http.StatusUnauthorized, challenge: realm + `, error="invalid_token"`, says: "not valid"}
	lacksScope    = want{
		status: http.StatusForbidden, challenge: realm + `, error="insufficient_scope", scope="auth:create"`, says: "scope",
	}
	tooLarge      = want{status: http.StatusRequestEntityTooLarge}
	unreadable    = want{status: http.StatusUnprocessableEntity}
	otherBusiness = want{status: http.StatusForbidden, says: "another business"}
	notFound      = want{status: http.StatusNotFound}
	outage        = want{status: http.StatusServiceUnavailable}
	wrongMethod   = want{status: http.StatusMethodNotAllowed}
)

func fields(broken ...string) want {
	return want{status: http.StatusUnprocessableEntity, fields: broken}
}

// expect sends a request to the magic-link route and holds everything about the answer against the contract: status,
// headers, envelope, both documents, and that the store has one record more after a 201 and none after anything else.
func (s *service) expect(tb testing.TB, r request, w want) answer {
	tb.Helper()
	before := len(s.store.kept())
	got := s.send(tb, r)
	require.Equal(tb, w.status, got.status, "%s", got.body)
	stored := len(s.store.kept()) - before
	checkHeaders(tb, got, w)
	if w.status == http.StatusCreated {
		require.Equal(tb, 1, stored, "records after a 201")
		checkLink(tb, got)
	} else {
		require.Zero(tb, stored, "records after a refusal")
		checkEnvelope(tb, got, w)
	}
	checkDocuments(tb, r, got)
	return got
}

func checkHeaders(tb testing.TB, got answer, w want) {
	tb.Helper()
	require.Equal(tb, []string{"application/json"}, got.header.Values("Content-Type"))
	require.Equal(tb, []string{"no-store"}, got.header.Values("Cache-Control"))
	require.Equal(tb, []string{"nosniff"}, got.header.Values("X-Content-Type-Options"))
	require.Equal(tb, w.challenge, strings.Join(got.header.Values("WWW-Authenticate"), " | "))
	require.Equal(tb, w.status == http.StatusServiceUnavailable, got.header.Get("Retry-After") != "", "Retry-After")
	allow := map[bool]string{true: http.MethodPost}[w.status == http.StatusMethodNotAllowed]
	require.Equal(tb, allow, got.header.Get("Allow"))
}

func checkEnvelope(tb testing.TB, got answer, w want) {
	tb.Helper()
	object := got.members(tb, "error", "data")
	require.NotEmpty(tb, object["error"])
	require.IsType(tb, "", object["error"])
	require.Contains(tb, object["error"], w.says)
	if w.status != http.StatusUnprocessableEntity {
		require.Nil(tb, object["data"])
		return
	}
	require.Equal(tb, w.fields, brokenFields(tb, got))
}

// brokenFields returns "field:rule" of each entry of data.fields, which must be a list, and nil if it is empty.
func brokenFields(tb testing.TB, got answer) []string {
	tb.Helper()
	var object struct {
		Data struct {
			Fields []map[string]string `json:"fields"`
		} `json:"data"`
	}
	require.NoError(tb, json.Unmarshal(got.body, &object))
	require.NotNil(tb, object.Data.Fields, "data.fields is a list: %s", got.body)
	var list []string
	for _, field := range object.Data.Fields {
		require.Len(tb, field, 3)
		require.NotEmpty(tb, field["message"])
		list = append(list, field["field"]+":"+field["rule"])
	}
	return list
}

func checkLink(tb testing.TB, got answer) {
	tb.Helper()
	data, ok := got.members(tb, "data")["data"].(map[string]any)
	require.True(tb, ok)
	require.Len(tb, data, 2)
	require.Regexp(tb, `^https://app\.example\.com/magic`, data["magic_link"])
	require.Regexp(tb, `^mlk_[2-9A-HJ-NP-Za-km-z]{22}$`, data["magic_link_id"])
}

// trial is one row of a table.
type trial struct {
	name   string
	change spoil
	want   want
}

func (s *service) run(t *testing.T, trials []trial) {
	t.Helper()
	for _, trial := range trials {
		t.Run(trial.name, func(t *testing.T) { s.expect(t, s.good(t, trial.change), trial.want) })
	}
}
