package contracttest

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/magiclink-go/magiclink"
	"github.com/magiclink-go/magiclink/httpadapter"
)

// redemption adds the routes that redeem the links of a service.
func (s *service) redemption(tb testing.TB) *service {
	tb.Helper()
	now := func() time.Time { return noon }
	all, err := httpadapter.NewService(httpadapter.ServiceConfig{
		Config:  magiclink.Config{BaseURL: baseURL, Keys: s.keys, Store: s.store, Businesses: tenants, Now: now},
		Clients: clients(tb), Health: true,
	})
	require.NoError(tb, err)
	server := httptest.NewServer(all)
	tb.Cleanup(server.Close)
	return &service{url: server.URL, keys: s.keys, store: s.store, log: s.log}
}

// token issues a link and returns its token.
func (s *service) token(tb testing.TB, changes ...spoil) string {
	tb.Helper()
	var issued struct {
		Data magiclink.MagicLinkResponse `json:"data"`
	}
	require.NoError(tb, json.Unmarshal(s.expect(tb, s.good(tb, changes...), created).body, &issued))
	_, token, _ := strings.Cut(issued.Data.MagicLink, "token=")
	return token
}

func TestRedemptionAnswersAsTheDocumentSays(t *testing.T) {
	issuing := newService(t)
	s := issuing.redemption(t)
	full := issuing.token(t, body(`{"business_id":"`+acme+`","email":"jane@example.com","path":"/reports"}`))
	least := issuing.token(t)
	redeem := func(text string) request {
		return request{
			method: http.MethodPost, path: httpadapter.RedeemPath, body: text,
			header: http.Header{"Content-Type": {"application/json"}},
		}
	}
	for _, tt := range []struct {
		name   string
		r      request
		status int
	}{
		{"every field", redeem(`{"token":"` + full + `"}`), http.StatusOK},
		{"no address and no path", redeem(`{"token":"` + least + `"}`), http.StatusOK},
		{"used", redeem(`{"token":"` + full + `"}`), http.StatusGone},
		{"forged", redeem(`{"token":"a.b.c"}`), http.StatusGone},
		{"empty", redeem(`{"token":""}`), http.StatusGone},
		{"no token", redeem(`{}`), http.StatusUnprocessableEntity},
		{"not a string", redeem(`{"token":5}`), http.StatusUnprocessableEntity},
		{"twice", redeem(`{"token":"a","token":"a"}`), http.StatusUnprocessableEntity},
		{"not an object", redeem(`"a"`), http.StatusUnprocessableEntity},
		{"too large", redeem(`{"token":"` + strings.Repeat("a", 1<<17) + `"}`), http.StatusRequestEntityTooLarge},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got := s.send(t, tt.r)
			require.Equal(t, tt.status, got.status, "%s", got.body)
			require.Empty(t, complaints(t, "served", http.MethodPost, httpadapter.RedeemPath, got), "%s", got.body)
		})
	}
}

func TestSessionAnswersAsTheDocumentSays(t *testing.T) {
	issuing := newService(t)
	s := issuing.redemption(t)
	got := s.send(t, request{
		method: http.MethodPost, path: httpadapter.RedeemPath, body: `{"token":"` + issuing.token(t) + `"}`,
		header: http.Header{"Content-Type": {"application/json"}},
	})
	var redeemed struct {
		Data struct {
			SessionToken string `json:"session_token"`
		} `json:"data"`
	}
	require.NoError(t, json.Unmarshal(got.body, &redeemed))
	for credentials, status := range map[string]int{
		"Bearer " + redeemed.Data.SessionToken:       http.StatusOK,
		"Bearer " + redeemed.Data.SessionToken + "x": http.StatusUnauthorized,
		"Bearer " + issuing.access(t):                http.StatusUnauthorized,
	} {
		got := s.send(t, request{
			method: http.MethodGet, path: httpadapter.SessionPath, header: http.Header{"Authorization": {credentials}},
		})
		require.Equal(t, status, got.status, "%s", got.body)
		require.Empty(t, complaints(t, "served", http.MethodGet, httpadapter.SessionPath, got), "%s", got.body)
	}
}
