package httpadapter_test

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/magiclink-go/magiclink"
	"github.com/magiclink-go/magiclink/httpadapter"
)

// No token, secret, link or address is logged, whatever is asked; and what is logged is not nothing.
func TestNothingSecretIsLogged(t *testing.T) {
	logger, log := logTo()
	down := errors.New("the directory is down")
	var failure error
	fails := directory(func(context.Context) error { return failure })
	issuer := newIssuer(t, func(c *magiclink.Config) { c.Logger, c.Businesses = logger, fails })
	bearer, err := httpadapter.NewBearerAuthenticator(httpadapter.BearerConfig{
		Keys: seededKeyring(t), Issuer: apiURL, Audience: apiURL, Now: now,
	})
	require.NoError(t, err)
	links, err := httpadapter.NewIssueHandler(httpadapter.IssueConfig{Issuer: issuer, Authenticator: bearer, Logger: logger})
	require.NoError(t, err)
	tokens := newTokens(t, func(c *httpadapter.TokenConfig) { c.Businesses, c.Logger = fails, logger })

	var token struct {
		AccessToken string `json:"access_token"`
	}
	require.NoError(t, json.Unmarshal(post(tokens, typeForm, goodForm).Body.Bytes(), &token))
	require.NotEmpty(t, token.AccessToken)
	authorization := []string{"Authorization", "Bearer " + token.AccessToken}

	const email = `"email":"canary.mail@example.com","path":"/canary-path"`
	bodies := []string{
		`{"business_id":"` + business + `",` + email + `}`, `{"business_id":"` + business + `",` + email + `,"ttl":0}`,
		`{"business_id":"canary-biz",` + email + `}`, `{"external_business_id":"canary\n",` + email + `}`,
		`{` + email, `[` + email + `]`, `{"business_id":"` + business + `","email":"canary.mail@"}`,
		`{"business_id":"` + business + `","path":"//canary-path"}`,
	}
	forms := []string{
		goodForm, goodForm + "x", goodForm + "&scope=canary-scope", goodForm + "&resource=canary-resource",
		goodForm + "&business_id=" + business, goodForm + "&expires_in=canary", goodForm + "&client_secret=canary-secret",
		"client_id=canary-id&client_secret=canary-secret", goodForm + "&x=%zz", goodForm + "&grant_type=canary",
	}
	seen := map[int]int{}
	sendAll := func() {
		for _, body := range bodies {
			seen[post(links, typeJSON, body, authorization...).Code]++
			seen[post(links, typeJSON, body, "Authorization", "Bearer canary-token").Code]++
			seen[post(links, "text/canary", body, authorization...).Code]++
		}
		for _, form := range forms {
			seen[post(tokens, typeForm, form).Code]++
			seen[post(tokens, typeForm, form, "Authorization", "Basic Y2FuYXJ5OmNhbmFyeS1zZWNyZXQ=").Code]++
		}
	}
	sendAll()
	require.Empty(t, log.String(), "refusals and successes are not logged at all")
	failure = down
	sendAll()
	for _, status := range []int{200, 201, 401, 403, 422, 503} {
		require.Positive(t, seen[status], "control: %d was among the answers", status)
	}
	require.Contains(t, log.String(), down.Error())
	for _, secret := range []string{"canary", "Y2FuYXJ5", "eyJ", token.AccessToken, "example.com", "/magic"} {
		require.NotContains(t, log.String(), secret)
	}
}

// newTokens makes a token endpoint with one client, "crm".
func newTokens(tb testing.TB, change ...func(*httpadapter.TokenConfig)) http.Handler {
	tb.Helper()
	clients, err := httpadapter.StaticClients(httpadapter.Client{
		ID: "crm", SecretSHA256: httpadapter.HashSecret("canary-secret"), TenantID: "t1",
		Scopes: []string{httpadapter.ScopeCreate},
	})
	require.NoError(tb, err)
	config := httpadapter.TokenConfig{Keys: seededKeyring(tb), Clients: clients, Issuer: apiURL, Audience: apiURL}
	config.Now = now
	for _, c := range change {
		c(&config)
	}
	tokens, err := httpadapter.NewTokenHandler(config)
	require.NoError(tb, err)
	return tokens
}
