package httpadapter_test

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/magiclink-go/magiclink"
	"github.com/magiclink-go/magiclink/httpadapter"
)

func TestNewReportsEveryFaultAtOnce(t *testing.T) {
	good := httpadapter.IssueConfig{Issuer: newIssuer(t), Authenticator: anyone}
	handler, err := httpadapter.NewIssueHandler(good)
	require.NoError(t, err)
	require.NotNil(t, handler)

	handler, err = httpadapter.NewIssueHandler(httpadapter.IssueConfig{MaxBody: -1, Timeout: -1, Realm: "a\"b"})
	require.Nil(t, handler)
	require.Equal(t, []string{"Issuer", "Authenticator", "MaxBody", "Timeout", "Realm"}, faultyFields(t, err))

	for _, realm := range []string{"a\\b", "a\r\nX: y", "ü", "\x7f", "a\x00"} {
		bad := good
		bad.Realm = realm
		_, err := httpadapter.NewIssueHandler(bad)
		require.Equal(t, []string{"Realm"}, faultyFields(t, err))
	}
}

func TestNewBearerAuthenticatorReportsEveryFaultAtOnce(t *testing.T) {
	good := httpadapter.BearerConfig{Keys: seededKeyring(t), Issuer: apiURL, Audience: apiURL}
	_, err := httpadapter.NewBearerAuthenticator(good)
	require.NoError(t, err)

	_, err = httpadapter.NewBearerAuthenticator(httpadapter.BearerConfig{Leeway: -1})
	require.Equal(t, []string{"Keys", "Issuer", "Audience", "Leeway"}, faultyFields(t, err))

	for field, change := range map[string]func(*httpadapter.BearerConfig){
		"Leeway":   func(c *httpadapter.BearerConfig) { c.Leeway = time.Minute + 1 },
		"Audience": func(c *httpadapter.BearerConfig) { c.Audience = apiURL + "#magic-link" },
	} {
		bad := good
		change(&bad)
		_, err := httpadapter.NewBearerAuthenticator(bad)
		require.Equal(t, []string{field}, faultyFields(t, err))
	}
	good.Leeway = time.Minute
	_, err = httpadapter.NewBearerAuthenticator(good)
	require.NoError(t, err)
}

// A caller that overlooks the error must not go on with half a BearerAuthenticator.
func TestNewBearerAuthenticatorReturnsNothingBesideAnError(t *testing.T) {
	bearer, err := httpadapter.NewBearerAuthenticator(httpadapter.BearerConfig{Keys: seededKeyring(t), Audience: apiURL})
	require.Error(t, err)
	require.Nil(t, bearer)
}

func TestBearerWithoutAConstructorLetsNobodyIn(t *testing.T) {
	handler, err := httpadapter.NewIssueHandler(httpadapter.IssueConfig{
		Issuer: newIssuer(t), Authenticator: new(httpadapter.BearerAuthenticator),
	})
	require.NoError(t, err)
	requireEnvelope(t, 401, post(handler, typeJSON, goodBody))
	requireEnvelope(t, 401, post(handler, typeJSON, goodBody, "Authorization", "Bearer x"))
}

// A nil pointer in an interface would panic at the first request.
func TestTypedNilsAreFaults(t *testing.T) {
	var bearer *httpadapter.BearerAuthenticator
	_, err := httpadapter.NewIssueHandler(httpadapter.IssueConfig{Issuer: newIssuer(t), Authenticator: bearer})
	require.Equal(t, []string{"Authenticator"}, faultyFields(t, err))
	var none directory
	_, err = httpadapter.NewTokenHandler(httpadapter.TokenConfig{
		Keys: seededKeyring(t), Clients: none, Businesses: none, Issuer: apiURL, Audience: apiURL,
	})
	require.Equal(t, []string{"Clients", "Businesses"}, faultyFields(t, err))
}

func TestNewTokenHandlerReportsEveryFaultAtOnce(t *testing.T) {
	clients, err := httpadapter.StaticClients()
	require.NoError(t, err)
	good := httpadapter.TokenConfig{Keys: seededKeyring(t), Clients: clients, Issuer: apiURL, Audience: apiURL}
	_, err = httpadapter.NewTokenHandler(good)
	require.NoError(t, err)

	endpoint, err := httpadapter.NewTokenHandler(httpadapter.TokenConfig{
		MaxLifetime: -1, MaxBody: -1, Timeout: -1, Realm: "ü",
	})
	require.Nil(t, endpoint)
	require.Equal(t,
		[]string{"Keys", "Clients", "Issuer", "Audience", "MaxLifetime", "MaxBody", "Timeout", "Realm"},
		faultyFields(t, err))

	public, err := good.Keys.Public()
	require.NoError(t, err)
	for field, change := range map[string]func(*httpadapter.TokenConfig){
		"Keys":        func(c *httpadapter.TokenConfig) { c.Keys = public },
		"MaxLifetime": func(c *httpadapter.TokenConfig) { c.MaxLifetime = 1500 * time.Millisecond },
		"Audience":    func(c *httpadapter.TokenConfig) { c.Audience = apiURL + "#" },
		"Resources":   func(c *httpadapter.TokenConfig) { c.Resources = []string{"https://a.example", "/relative"} },
	} {
		bad := good
		change(&bad)
		_, err := httpadapter.NewTokenHandler(bad)
		require.Equal(t, []string{field}, faultyFields(t, err))
	}
}

func TestStaticClientsRefusesAMalformedClient(t *testing.T) {
	good := httpadapter.Client{ID: "crm", SecretSHA256: httpadapter.HashSecret("x"), TenantID: "t1", BusinessID: business}
	_, err := httpadapter.StaticClients(good)
	require.NoError(t, err)
	for name, change := range map[string]func(*httpadapter.Client){
		"no id":                  func(c *httpadapter.Client) { c.ID = "" },
		"a long id":              func(c *httpadapter.Client) { c.ID = strings.Repeat("x", 256) },
		"an id with a space":     func(c *httpadapter.Client) { c.ID = "a b" },
		"an id beyond ASCII":     func(c *httpadapter.Client) { c.ID = "ü" },
		"no secret":              func(c *httpadapter.Client) { c.SecretSHA256 = [32]byte{} },
		"the empty secret":       func(c *httpadapter.Client) { c.SecretSHA256 = httpadapter.HashSecret("") },
		"a malformed business":   func(c *httpadapter.Client) { c.BusinessID = "biz_1" },
		"an empty scope":         func(c *httpadapter.Client) { c.Scopes = []string{""} },
		"a scope with a space":   func(c *httpadapter.Client) { c.Scopes = []string{"a b"} },
		"a scope with quotes":    func(c *httpadapter.Client) { c.Scopes = []string{`a"`} },
		"a scope with backslash": func(c *httpadapter.Client) { c.Scopes = []string{`a\`} },
	} {
		t.Run(name, func(t *testing.T) {
			bad := good
			change(&bad)
			_, err := httpadapter.StaticClients(good, bad)
			require.ErrorContains(t, err, "client 2")
		})
	}
	_, err = httpadapter.StaticClients(good, good)
	require.ErrorContains(t, err, `"crm" stands twice`)
}

// No link could ever be issued for such a tenant, so the fault belongs to the start of the program.
func TestStaticClientsRefusesATenantThatNoLinkCanHave(t *testing.T) {
	for _, tenant := range []string{strings.Repeat("x", 256), "a\nb", "\xff"} {
		_, err := httpadapter.StaticClients(httpadapter.Client{
			ID: "crm", SecretSHA256: httpadapter.HashSecret("x"), TenantID: tenant,
		})
		require.Error(t, err, "%q", tenant)
	}
}

// The list belongs to the caller, who may go on to change it.
func TestStaticClientsKeepsACopy(t *testing.T) {
	scopes := []string{"ledger:read"}
	clients, err := httpadapter.StaticClients(httpadapter.Client{
		ID: "crm", SecretSHA256: httpadapter.HashSecret("x"), Scopes: scopes,
	})
	require.NoError(t, err)
	scopes[0] = httpadapter.ScopeCreate
	client, err := clients.FindClient(t.Context(), "crm")
	require.NoError(t, err)
	require.Equal(t, []string{"ledger:read"}, client.Scopes)
	_, err = clients.FindClient(t.Context(), "nobody")
	require.ErrorIs(t, err, httpadapter.ErrClientNotFound)
}

func TestConfigErrorsCanBeWalked(t *testing.T) {
	_, err := httpadapter.NewIssueHandler(httpadapter.IssueConfig{})
	var fault *magiclink.ConfigError
	require.ErrorAs(t, err, &fault)
	require.Equal(t, "Issuer", fault.Field)
	require.ErrorContains(t, err, "Authenticator is required")
}
