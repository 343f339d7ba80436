package httpadapter_test

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/magiclink-go/magiclink"
	"github.com/magiclink-go/magiclink/httpadapter"
)

func TestNewRedeemHandlerReportsEveryFaultAtOnce(t *testing.T) {
	_, err := httpadapter.NewRedeemHandler(httpadapter.RedeemConfig{MaxBody: -1, Timeout: -1})
	require.ElementsMatch(t, []string{"Redeemer", "Sessions", "MaxBody", "Timeout"}, faultyFields(t, err))
}

// redeemJSON posts a body to the route.
func (b *browser) redeemJSON(body string, headers ...string) view {
	b.site.tb.Helper()
	return b.send(http.MethodPost, b.site.server.URL+httpadapter.RedeemPath, body, append([]string{"Content-Type", typeJSON}, headers...)...)
}

// requireJSON demands what every answer of the route has.
func requireJSON(tb testing.TB, v view) {
	tb.Helper()
	require.Equal(tb, []string{"application/json"}, v.header.Values("Content-Type"))
	require.Equal(tb, []string{"no-store"}, v.header.Values("Cache-Control"))
	require.Equal(tb, []string{"nosniff"}, v.header.Values("X-Content-Type-Options"))
	require.Empty(tb, v.header.Values("Set-Cookie"))
}

// data reads the members of data, and demands the envelope around it.
func (v view) data(tb testing.TB) map[string]any {
	tb.Helper()
	var body map[string]any
	require.NoError(tb, json.Unmarshal([]byte(v.body), &body), v.body)
	if v.status < 300 {
		require.Len(tb, body, 1)
	} else {
		require.Len(tb, body, 2)
		require.NotEmpty(tb, body["error"])
	}
	data, _ := body["data"].(map[string]any)
	return data
}

func TestRedeemJSON(t *testing.T) {
	s := newSite(t)
	for name, row := range map[string]struct {
		in   magiclink.MagicLinkCreate
		want map[string]any
	}{
		"all": {create, map[string]any{
			"business_id": business, "external_business_id": "shop-7", "email": "jane@example.com", "path": "/reports?y=1#top",
			"expires_at": "2026-03-14T13:00:07Z",
		}},
		"the least": {magiclink.MagicLinkCreate{BusinessID: business}, map[string]any{
			"business_id": business, "external_business_id": nil, "email": nil, "path": nil, "expires_at": "2026-03-15T12:00:07Z",
		}},
		"external": {magiclink.MagicLinkCreate{ExternalBusinessID: `<"Zürich" & 😀>`}, map[string]any{
			"business_id": nil, "external_business_id": `<"Zürich" & 😀>`, "email": nil, "path": nil, "expires_at": "2026-03-15T12:00:07Z",
		}},
	} {
		t.Run(name, func(t *testing.T) {
			link, id := s.link(row.in)
			b := s.browser()
			got := b.redeemJSON(`{"token":"` + tokenOf(t, link) + `"}`)
			require.Equal(t, http.StatusOK, got.status, got.body)
			requireJSON(t, got)
			data := got.data(t)
			token, _ := data["session_token"].(string)
			row.want["magic_link_id"], row.want["session_token"] = id, token
			require.Equal(t, row.want, data)
			session, err := s.sessions.Verify(t.Context(), token)
			require.NoError(t, err)
			require.Equal(t, id, session.MagicLinkID)
			require.Equal(t, data["expires_at"], session.ExpiresAt.Format(time.RFC3339))
			require.Equal(t, http.StatusGone, b.redeemJSON(`{"token":"`+tokenOf(t, link)+`"}`).status)
			require.Equal(t, http.StatusOK, b.send(http.MethodGet, s.server.URL+"/session", "", "Authorization", "Bearer "+token).status)
		})
	}
}

// Every link that cannot be used gets one answer.
func TestRedeemJSONDeadLinks(t *testing.T) {
	s := newSite(t)
	first := ""
	for name, address := range deadLinks(t, s) {
		got := s.browser().redeemJSON(`{"token":"` + tokenIn(address) + `"}`)
		require.Equal(t, http.StatusGone, got.status, name)
		requireJSON(t, got)
		require.Nil(t, got.data(t))
		require.Contains(t, got.body, `"data":null`)
		if first == "" {
			first = got.body
		}
		require.Equal(t, first, got.body, name)
	}
	require.Empty(t, s.log.String())
}

// A body that is not that object is told so, and no store is asked.
func TestRedeemJSONBodies(t *testing.T) {
	s := newSite(t)
	link, _ := s.link(create)
	token := tokenOf(t, link)
	good := `{"token":"` + token + `"}`
	for name, row := range map[string]struct {
		status      int
		contentType string
		body        string
	}{
		"empty":          {422, typeJSON, ``},
		"no object":      {422, typeJSON, `"` + token + `"`},
		"a list":         {422, typeJSON, `[` + good + `]`},
		"null":           {422, typeJSON, `null`},
		"no member":      {422, typeJSON, `{}`},
		"another case":   {422, typeJSON, `{"Token":"` + token + `"}`},
		"a null":         {422, typeJSON, `{"token":null}`},
		"a number":       {422, typeJSON, `{"token":5}`},
		"a list inside":  {422, typeJSON, `{"token":["` + token + `"]}`},
		"an object":      {422, typeJSON, `{"token":` + good + `}`},
		"twice":          {422, typeJSON, `{"token":"` + token + `","token":"` + token + `"}`},
		"twice, escaped": {422, typeJSON, `{"token":"` + token + `","\u0074oken":"` + token + `"}`},
		"other twice":    {422, typeJSON, `{"token":"` + token + `","x":1,"x":2}`},
		"trailing":       {422, typeJSON, good + `x`},
		"two objects":    {422, typeJSON, good + good},
		"cut off":        {422, typeJSON, good[:len(good)-1]},
		"bad UTF-8":      {422, typeJSON, `{"token":"` + token + `","x":"` + "\xff" + `"}`},
		"BOM":            {422, typeJSON, "\ufeff" + good},
		"a form":         {422, typeForm, "token=" + token},
		"JSON as text":   {422, "text/plain", good},
		"no type":        {422, "", good},
		"UTF-16":         {422, typeJSON + "; charset=utf-16", good},
		"too large":      {413, typeJSON, `{"x":"` + strings.Repeat("x", 64<<10) + `"}`},
		"large, as text": {413, "text/plain", strings.Repeat("x", 64<<10+1)},
	} {
		t.Run(name, func(t *testing.T) {
			before := s.store.calls()
			var headers []string
			if row.contentType != "" {
				headers = []string{"Content-Type", row.contentType}
			}
			got := s.browser().send(http.MethodPost, s.server.URL+httpadapter.RedeemPath, row.body, headers...)
			require.Equal(t, row.status, got.status, got.body)
			requireJSON(t, got)
			got.data(t)
			require.NotContains(t, got.body, "eyJ")
			require.Equal(t, before, s.store.calls())
		})
	}
	s.requireUsable(link)
	for _, method := range []string{http.MethodGet, http.MethodHead, http.MethodPut, http.MethodDelete, http.MethodOptions} {
		got := s.browser().send(method, s.server.URL+httpadapter.RedeemPath+"?token="+token, good, "Content-Type", typeJSON)
		require.Equal(t, http.StatusMethodNotAllowed, got.status)
		require.Equal(t, "POST", got.header.Get("Allow"))
		requireJSON(t, got)
	}
	s.requireUsable(link)
	got := s.browser().redeemJSON(` {"new": {"a": []}, "\u0074oken" : "`+token+`"} `, "X-Forwarded-Host", "evil.example")
	require.Equal(t, http.StatusOK, got.status, "the control: white space, escapes and other members are fine")
	require.Equal(t, "/reports?y=1#top", got.data(t)["path"])
}

// An empty token, and one that is no token, is a dead link: the body is that object.
func TestRedeemJSONOfNoToken(t *testing.T) {
	s := newSite(t)
	for _, token := range []string{"", "x", `\u0000`, strings.Repeat("a", 10_000), "ü"} {
		require.Equal(t, http.StatusGone, s.browser().redeemJSON(`{"token":"`+token+`"}`).status)
	}
	require.Zero(t, s.store.calls())
}
