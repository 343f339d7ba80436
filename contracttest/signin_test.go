package contracttest

import (
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/magiclink-go/magiclink"
	"github.com/magiclink-go/magiclink/httpadapter"
	"github.com/magiclink-go/magiclink/signin"
	"github.com/magiclink-go/magiclink/store/memory"
)

// mails is a Mailer that keeps the last message of each address.
type mails chan signin.Message

func (m mails) Send(_ context.Context, message signin.Message) error {
	m <- message
	return nil
}

// withSignIn is a service with every route, and the mails that it sends.
func withSignIn(tb testing.TB, change ...func(*signin.Config)) (*service, mails) {
	tb.Helper()
	keys, err := magiclink.NewKeyring(seededKey())
	require.NoError(tb, err)
	core := magiclink.Config{
		BaseURL: baseURL, Keys: keys, Store: memory.New(), Businesses: tenants, Now: func() time.Time { return noon },
	}
	sent := make(mails, 100)
	config := signin.Config{
		Config: core, Mailer: sent,
		Resolve: func(context.Context, string) (magiclink.MagicLinkCreate, error) {
			return magiclink.MagicLinkCreate{Caller: magiclink.Caller{TenantID: "t1"}, BusinessID: acme}, nil
		},
	}
	for _, c := range change {
		c(&config)
	}
	flow, err := signin.New(config)
	require.NoError(tb, err)
	all, err := httpadapter.NewService(httpadapter.ServiceConfig{Config: core, Clients: clients(tb), Health: true, SignIn: flow})
	require.NoError(tb, err)
	server := httptest.NewServer(all)
	tb.Cleanup(server.Close)
	return &service{url: server.URL, keys: keys, log: new(safeBuffer)}, sent
}

// The JSON routes of a sign-in answer as the document says.
func TestSignInAnswersAsTheDocumentSays(t *testing.T) {
	s, sent := withSignIn(t, func(c *signin.Config) {
		c.Limits.PerClient = magiclink.Rate{Burst: 2, Every: time.Hour}
		c.Limits.CodesPerClient = magiclink.Rate{Burst: 3, Every: time.Hour}
	})
	post := func(path, text string, status int) answer {
		t.Helper()
		got := s.send(t, request{method: http.MethodPost, path: path, body: text, header: http.Header{"Content-Type": {"application/json"}}})
		require.Equal(t, status, got.status, "%s", got.body)
		require.Empty(t, complaints(t, "served", http.MethodPost, path, got), "%s", got.body)
		return got
	}
	var begun struct{ Data struct{ Flow string } }
	require.NoError(t, json.Unmarshal(post(signin.RequestJSONPath, `{"email":"jane@example.com","next":"/x"}`, 202).body, &begun))
	mail := <-sent
	code := func(flow, code string) string { return `{"flow":"` + flow + `","code":"` + code + `"}` }
	post(signin.CodeJSONPath, code("x", "x"), 410)
	post(signin.CodeJSONPath, code(begun.Data.Flow, mail.Code), 200)
	post(signin.CodeJSONPath, code(begun.Data.Flow, "2222-2222"), 410)
	post(signin.CodeJSONPath, code(begun.Data.Flow, mail.Code), 429)
	post(signin.RequestJSONPath, `{"email":"x"}`, 202)
	post(signin.RequestJSONPath, `{"email":"x"}`, 429)
	for _, path := range []string{signin.RequestJSONPath, signin.CodeJSONPath} {
		post(path, `{}`, 422)
		got := s.send(t, at("GET", path))
		require.Equal(t, http.StatusMethodNotAllowed, got.status)
		require.Empty(t, complaints(t, "served", http.MethodPost, path, got))
	}
}
