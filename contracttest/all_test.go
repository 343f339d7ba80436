package contracttest

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/magiclink-go/magiclink/httpadapter"
)

// at is a request without a body.
func at(method, path string, headers ...string) request {
	r := request{method: method, path: path, header: http.Header{}}
	for n := 0; n < len(headers); n += 2 {
		r.header.Add(headers[n], headers[n+1])
	}
	return r
}

// Every route of a Service is in the document, with every status that it answers.
func TestEveryAnswerOfAServiceIsInTheDocument(t *testing.T) {
	issuing := newService(t)
	s := issuing.redemption(t)
	session := func() []string {
		got := s.send(t, request{
			method: http.MethodPost, path: httpadapter.RedeemPath, body: `{"token":"` + issuing.token(t) + `"}`,
			header: http.Header{"Content-Type": {"application/json"}, "Idempotency-Key": {"k"}},
		})
		var redeemed struct {
			Data struct {
				SessionToken string `json:"session_token"`
			} `json:"data"`
		}
		require.NoError(t, json.Unmarshal(got.body, &redeemed))
		return []string{"Authorization", "Bearer " + redeemed.Data.SessionToken}
	}
	for _, row := range []struct {
		r      request
		status int
	}{
		{at("GET", httpadapter.HealthPath), 200},
		{at("GET", httpadapter.ReadyPath), 200},
		{at("GET", httpadapter.OpenAPIPath), 200},
		{at("GET", httpadapter.OpenAPIJSONPath), 200},
		{at("GET", httpadapter.JWKSPath), 200},
		{at("GET", httpadapter.MetadataPath), 200},
		{at("GET", httpadapter.SessionPath), 401},
		{at("GET", httpadapter.SessionPath, session()...), 200},
		{at("POST", httpadapter.LogoutPath), 303},
		{at("POST", httpadapter.LogoutPath, session()...), 303},
		{at("POST", httpadapter.LogoutPath, "Origin", "https://evil.example"), 403},
	} {
		t.Run(row.r.method+" "+row.r.path, func(t *testing.T) {
			got := s.send(t, row.r)
			require.Equal(t, row.status, got.status, "%s", got.body)
			require.Empty(t, complaints(t, "served", row.r.method, row.r.path, got), "%s", got.body)
			other := map[string]string{"GET": "POST", "POST": "PUT"}[row.r.method]
			got = s.send(t, at(other, row.r.path))
			require.Equal(t, http.StatusMethodNotAllowed, got.status)
			require.Empty(t, complaints(t, "served", row.r.method, row.r.path, got), "%s", got.body)
		})
	}
}

func TestThrottledAnswerIsInTheDocument(t *testing.T) {
	s := newService(t)
	for range 10 {
		s.refused(t, plain("client_id", "crm", "client_secret", "x"), invalidClient)
	}
	got := s.send(t, asked())
	require.Equal(t, http.StatusTooManyRequests, got.status)
	require.Equal(t, "6", got.header.Get("Retry-After"))
	object := got.members(t, "error", "error_description", "data")
	require.Equal(t, "temporarily_unavailable", object["error"])
	require.Empty(t, complaints(t, "served", http.MethodPost, httpadapter.TokenPath, got), "%s", got.body)
	s.granted(t, plain("client_id", "till", "client_secret", secret))
}

func TestUnknownPathsHaveTheEnvelope(t *testing.T) {
	s := newService(t).redemption(t)
	for _, path := range []string{"/v0", "/v0/x", "/v0/auth/token/", "/.well-known/x", "/x"} {
		got := s.send(t, at("GET", path))
		require.Equal(t, http.StatusNotFound, got.status)
		require.Nil(t, got.members(t, "error", "data")["data"])
	}
}

// Every path of the document is a route.
func TestEveryPathOfTheDocumentIsServed(t *testing.T) {
	s, _ := withSignIn(t)
	paths := parse(t, servedDocument())["paths"].(object)
	require.Greater(t, len(paths), 10)
	for path, operations := range paths {
		for method := range operations.(object) {
			got := s.send(t, at(strings.ToUpper(method), path))
			require.NotEqual(t, http.StatusNotFound, got.status, path)
			require.NotEqual(t, http.StatusMethodNotAllowed, got.status, path)
		}
	}
}
