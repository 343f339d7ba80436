package contracttest

import (
	"encoding/json"
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/magiclink-go/magiclink/httpadapter"
	"github.com/magiclink-go/magiclink/store/memory"
)

// A client gets the scopes of its own alone, and with them what they allow.
func TestScopesOfAClient(t *testing.T) {
	hash := httpadapter.HashSecret(secret)
	directory, err := httpadapter.StaticClients(
		httpadapter.Client{ID: "support", SecretSHA256: hash, TenantID: "t1", Scopes: []string{httpadapter.ScopeRead}},
		httpadapter.Client{ID: "shop", SecretSHA256: hash, TenantID: "t1", BusinessID: acme, Scopes: []string{
			httpadapter.ScopeRead, httpadapter.ScopeRevoke,
		}},
	)
	require.NoError(t, err)
	l := newLife(t, memory.New(), func(c *httpadapter.ServiceConfig) { c.Clients = directory })
	acmes, _ := l.link(t, jane)
	globexes, _ := l.link(t, whose{"t1", globex, "jane@example.com"})
	grant := func(id, scope string) (status int, token string) {
		got := l.send(t, plain("client_id", id, "client_secret", secret, "scope", scope))
		var granted struct {
			AccessToken string `json:"access_token"`
		}
		require.NoError(t, json.Unmarshal(got.body, &granted))
		return got.status, granted.AccessToken
	}
	for _, row := range []struct {
		client, scope                 string
		granted                       int
		read, revoke, business, limit int // the answers
	}{
		{"support", "", 200, 200, 403, 200, 200},
		{"support", "auth:read", 200, 200, 403, 200, 200},
		{"support", "auth:revoke", 403, 0, 0, 0, 0},
		{"support", "auth:read auth:revoke", 403, 0, 0, 0, 0},
		{"support", "auth:create", 403, 0, 0, 0, 0},
		{"shop", "", 200, 200, 200, 404, 404},
		{"shop", "auth:revoke", 200, 403, 200, 403, 403},
		{"shop", "auth:read", 200, 200, 403, 404, 404},
	} {
		status, token := grant(row.client, row.scope)
		require.Equal(t, row.granted, status, "%s asks for %q", row.client, row.scope)
		if status != http.StatusOK {
			continue
		}
		bearer := []string{"Authorization", "Bearer " + token}
		require.Equal(t, row.read, l.send(t, at("GET", links, bearer...)).status)
		require.Equal(t, row.revoke, l.send(t, at("POST", links+"/"+acmes+"/revoke", bearer...)).status)
		require.Equal(t, row.business, l.send(t, at("GET", links+"/"+globexes, bearer...)).status)
		require.Equal(t, row.limit, l.send(t, at("GET", limits+"?business_id="+globex, bearer...)).status)
		reset := at("POST", limits+"/reset", append(bearer, "Content-Type", "application/json")...)
		reset.body = `{"business_id":"` + acme + `"}`
		require.Equal(t, row.revoke, l.send(t, reset).status, "as revoking a link of the same business")
		require.Equal(t, http.StatusForbidden, l.send(t, at("POST", httpadapter.IssuePath, bearer...)).status)
	}
}
