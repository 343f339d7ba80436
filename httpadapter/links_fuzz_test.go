package httpadapter_test

import (
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/magiclink-go/magiclink"
	"github.com/magiclink-go/magiclink/httpadapter"
)

func newLinks(tb testing.TB) http.Handler {
	tb.Helper()
	issuer := newIssuer(tb)
	_, err := issuer.Issue(tb.Context(), magiclink.MagicLinkCreate{
		Caller: magiclink.Caller{TenantID: "t1"}, BusinessID: business, Email: "jane@example.com",
	})
	require.NoError(tb, err)
	links, err := httpadapter.NewLinksHandler(httpadapter.LinksConfig{Issuer: issuer, Authenticator: support})
	require.NoError(tb, err)
	return links
}

func FuzzListQuery(f *testing.F) {
	for _, query := range []string{
		"", "email=jane@example.com", "business_id=" + business, "external_business_id=%C3%BC", "state=used&limit=200", "limit=0",
		"cursor=MW1sa19HQTZFRzJxRnhBOTdOWkh0eGVMUFV5", "cursor=%0a", "email=%zz", "a;b", "limit=1&limit=2", "%00=&=&&",
	} {
		f.Add(query)
	}
	links := newLinks(f)
	f.Fuzz(func(t *testing.T, query string) {
		r := httptest.NewRequest(http.MethodGet, httpadapter.LinksPath, nil)
		r.URL.RawQuery = query
		w := httptest.NewRecorder()
		links.ServeHTTP(w, r)
		require.True(t, slices.Contains([]int{200, 422}, w.Code), "status %d", w.Code)
		if w.Code == http.StatusOK {
			require.Contains(t, w.Body.String(), `{"data":{"magic_links":[`)
			return
		}
		requireEnvelope(t, w.Code, w)
		require.Contains(t, w.Body.String(), `"data":{"fields":[`)
	})
}

func FuzzRevokeSubjectBody(f *testing.F) {
	for _, body := range []string{
		"", "{}", `{"email":"joe@example.com"}`, `{"business_id":"` + business + `","external_business_id":"x"}`, `{"email":null}`,
		`{"email":"joe@example.com","x":1}`, `{"email":"a","email":"b"}`, `[{}]`, "{\"email\":\"\xff\"}", `{"external_business_id":"\ud800"}`,
	} {
		f.Add(body)
	}
	links := newLinks(f)
	f.Fuzz(func(t *testing.T, body string) {
		w := send(links, http.MethodPost, httpadapter.LinksPath+"/revoke", typeJSON, body)
		require.True(t, slices.Contains([]int{200, 413, 422}, w.Code), "status %d", w.Code)
		if w.Code == http.StatusOK {
			require.True(t, strings.HasPrefix(w.Body.String(), `{"data":{"revoked":`))
			require.Contains(t, body, "{", "nothing but an object that names somebody revokes")
			return
		}
		requireEnvelope(t, w.Code, w)
	})
}
