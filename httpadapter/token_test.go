package httpadapter_test

import (
	"encoding/base64"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/magiclink-go/magiclink"
	"github.com/magiclink-go/magiclink/httpadapter"
)

// newIssueHandler makes the issuing route for access tokens of seededKeyring.
func newIssueHandler(tb testing.TB) http.Handler {
	tb.Helper()
	bearer, err := httpadapter.NewBearerAuthenticator(httpadapter.BearerConfig{
		Keys: seededKeyring(tb), Issuer: apiURL, Audience: apiURL, Now: now,
	})
	require.NoError(tb, err)
	handler, err := httpadapter.NewIssueHandler(httpadapter.IssueConfig{Issuer: newIssuer(tb), Authenticator: bearer})
	require.NoError(tb, err)
	return handler
}

// audienceOf returns the audience of the access token in an answer.
func audienceOf(tb testing.TB, w *httptest.ResponseRecorder, audience string) []string {
	tb.Helper()
	require.Equal(tb, http.StatusOK, w.Code, "%s", w.Body)
	var body struct {
		AccessToken string `json:"access_token"`
	}
	require.NoError(tb, json.Unmarshal(w.Body.Bytes(), &body))
	access, err := seededKeyring(tb).VerifyAccessToken(body.AccessToken, magiclink.AccessTokenCheck{
		Issuer: apiURL, Audience: audience, Now: noon,
	})
	require.NoError(tb, err)
	return access.Audience
}

// A resource that was not configured gets no token, and a token has the spelling that was configured.
func TestResources(t *testing.T) {
	const ledger = "HTTPS://Ledger.example.com:443/"
	for _, row := range []struct {
		audience  string
		resources []string
		asked     []string
		want      []string // nil: invalid_target
	}{
		{apiURL, nil, nil, []string{apiURL}},
		{apiURL, nil, []string{apiURL}, []string{apiURL}},
		{apiURL, nil, []string{apiURL + "/"}, []string{apiURL}},
		{apiURL + "/", nil, []string{apiURL}, []string{apiURL + "/"}},
		{apiURL, nil, []string{"HTTPS://API.example.com:443"}, []string{apiURL}},
		{apiURL, nil, []string{apiURL, apiURL + "/"}, []string{apiURL}},
		{apiURL, nil, []string{"https://bank.example.net/api"}, nil},
		{apiURL, nil, []string{apiURL, "https://bank.example.net/api"}, nil},
		{apiURL, nil, []string{apiURL + "/v0"}, nil},
		{apiURL, nil, []string{apiURL + "//"}, nil},
		{apiURL, nil, []string{apiURL + "?x"}, nil},
		{apiURL, nil, []string{"http://api.example.com"}, nil},
		{apiURL, nil, []string{"https://api.example.com:8443"}, nil},
		{apiURL, nil, []string{"https://user@api.example.com"}, nil},
		{apiURL, nil, []string{"https://"}, nil},
		{apiURL, nil, []string{"urn:example:b"}, nil},
		{apiURL, []string{"urn:example:b"}, []string{"urn:example:b"}, []string{"urn:example:b"}},
		{apiURL, []string{"urn:example:b"}, []string{"URN:example:B"}, nil},
		{apiURL, []string{ledger}, []string{"https://ledger.example.com", apiURL + "/"}, []string{ledger, apiURL}},
		{apiURL, []string{"https://a.example/x"}, []string{"https://a.example/x/"}, nil},
		{"the API", nil, nil, []string{"the API"}},
		{"the API", nil, []string{"the API"}, nil},
	} {
		tokens := newTokens(t, func(c *httpadapter.TokenConfig) { c.Audience, c.Resources = row.audience, row.resources })
		form := url.Values{"client_id": {"crm"}, "client_secret": {"canary-secret"}, "resource": row.asked}
		w := post(tokens, typeForm, form.Encode())
		if row.want == nil {
			requireEnvelope(t, http.StatusUnprocessableEntity, w)
			require.Contains(t, w.Body.String(), `"invalid_target"`, "%v", row.asked)
			continue
		}
		require.Equal(t, row.want, audienceOf(t, w, row.want[0]))
	}
}

// Some generated clients write a list as indexed parameters. Such a client must not get a token for another resource than it
// has asked for. Unknown parameters are ignored (RFC 6749 section 3.2).
func TestResourceAsAnIndexedParameter(t *testing.T) {
	tokens := newTokens(t)
	for name, refused := range map[string]bool{
		"resource[0]": true, "resource[]": true, "resource[1]": true, "resource[a]": true, "resource%5B0%5D": true,
		"resources": false, "resource_id": false, "resource.0": false, "resource[0": false, "Resource[0]": false, "x[0]": false,
	} {
		w := post(tokens, typeForm, goodForm+"&"+name+"=https://bank.example.net")
		if !refused {
			require.Equal(t, []string{apiURL}, audienceOf(t, w, apiURL), name)
			continue
		}
		requireEnvelope(t, http.StatusUnprocessableEntity, w)
		require.Contains(t, w.Body.String(), `"invalid_request"`, name)
		require.Contains(t, w.Body.String(), `write several resources as resource=A&resource=B, without brackets`, name)
	}
	require.Equal(t, http.StatusOK, post(tokens, typeForm, goodForm+"&resource[0]=").Code, "no value, so not given")
}

func TestBasicCredentialsThatAreNotEncoded(t *testing.T) {
	const secret = "100% a+b"
	clients, err := httpadapter.StaticClients(httpadapter.Client{ID: "crm", SecretSHA256: httpadapter.HashSecret(secret)})
	require.NoError(t, err)
	tokens := newTokens(t, func(c *httpadapter.TokenConfig) { c.Clients = clients })
	basic := func(id, secret string) []string {
		return []string{"Authorization", "Basic " + base64.StdEncoding.EncodeToString([]byte(id+":"+secret))}
	}
	require.Equal(t, http.StatusOK, post(tokens, typeForm, "", basic("crm", url.QueryEscape(secret))...).Code)
	for raw, hint := range map[string]bool{
		secret: true, "100%": true, "100%zz": true, "a+b": true, "100%25": true, "wrong": false, "": false,
	} {
		w := post(tokens, typeForm, "", basic("crm", raw)...)
		requireEnvelope(t, http.StatusUnauthorized, w)
		require.Equal(t, `Basic realm="magiclink"`, w.Header().Get("WWW-Authenticate"))
		if hint {
			require.Contains(t, w.Body.String(), `form-encoded, so a \"%\" is sent as \"%25\" and a \"+\" as \"%2B\"`, raw)
		} else {
			require.NotContains(t, w.Body.String(), "form-encoded", raw)
		}
		unknown := post(tokens, typeForm, "", basic("nobody", raw)...)
		require.Equal(t, w.Body.String(), unknown.Body.String(), "which clients there are is not seen")
	}
}

// Without a directory nobody knows which businesses a tenant has, so no token is scoped to one by the client's word alone.
func TestTokenWithoutBusinesses(t *testing.T) {
	hash := httpadapter.HashSecret("canary-secret")
	clients, err := httpadapter.StaticClients(
		httpadapter.Client{ID: "crm", SecretSHA256: hash}, httpadapter.Client{ID: "till", SecretSHA256: hash, BusinessID: business})
	require.NoError(t, err)
	ask := func(client string, businesses magiclink.BusinessDirectory) *httptest.ResponseRecorder {
		tokens := newTokens(t, func(c *httpadapter.TokenConfig) { c.Clients, c.Businesses = clients, businesses })
		return post(tokens, typeForm, "client_id="+client+"&client_secret=canary-secret&business_id="+business)
	}
	w := ask("crm", nil)
	requireEnvelope(t, http.StatusUnprocessableEntity, w)
	require.Contains(t, w.Body.String(), `"invalid_request"`)
	require.Contains(t, w.Body.String(), "leave business_id out")
	require.Equal(t, http.StatusOK, ask("till", nil).Code, "the client's own")
	require.Equal(t, http.StatusOK, ask("crm", magiclink.AnyBusiness).Code)
}

// Ten wrong secrets are answered at once and then one in six seconds, also where the client is unknown. Other clients
// are not affected.
func TestGuessingIsThrottled(t *testing.T) {
	for _, client := range []string{"crm", "nobody"} {
		at := noon
		hash := httpadapter.HashSecret("canary-secret")
		clients, err := httpadapter.StaticClients(
			httpadapter.Client{ID: "crm", SecretSHA256: hash}, httpadapter.Client{ID: "till", SecretSHA256: hash})
		require.NoError(t, err)
		tokens := newTokens(t, func(c *httpadapter.TokenConfig) { c.Clients, c.Now = clients, func() time.Time { return at } })
		try := func(client, secret string) *httptest.ResponseRecorder {
			return post(tokens, typeForm, "client_id="+client+"&client_secret="+secret)
		}
		for n := range 10 {
			require.Equal(t, http.StatusUnauthorized, try(client, "guess"+strconv.Itoa(n)).Code)
		}
		for _, secret := range []string{"guess", "canary-secret"} {
			w := try(client, secret)
			requireEnvelope(t, http.StatusTooManyRequests, w)
			require.Equal(t, "6", w.Header().Get("Retry-After"))
			require.Contains(t, w.Body.String(), `"error_description":"too many wrong secrets for this client: try again in 6 s"`)
		}
		require.Equal(t, http.StatusOK, try("till", "canary-secret").Code, "another client")
		at = noon.Add(6*time.Second - time.Millisecond)
		require.Equal(t, "1", try(client, "guess").Header().Get("Retry-After"))
		at = noon.Add(6 * time.Second)
		if client == "crm" {
			for range 20 {
				require.Equal(t, http.StatusOK, try("crm", "canary-secret").Code, "successes are not counted")
			}
		}
		require.Equal(t, http.StatusUnauthorized, try(client, "guess").Code)
		require.Equal(t, http.StatusTooManyRequests, try(client, "guess").Code)
		at = noon.Add(time.Hour)
		for range 10 {
			require.Equal(t, http.StatusUnauthorized, try(client, "guess").Code)
		}
		require.Equal(t, http.StatusTooManyRequests, try(client, "guess").Code)
		at = noon // a clock that is set back
		require.Equal(t, http.StatusTooManyRequests, try(client, "guess").Code)
	}
}

// A clock that is set back throttles nobody.
func TestThrottleWithAClockSetBack(t *testing.T) {
	at := noon
	tokens := newTokens(t, func(c *httpadapter.TokenConfig) { c.Now = func() time.Time { return at } })
	require.Equal(t, http.StatusUnauthorized, post(tokens, typeForm, goodForm+"x").Code)
	at = noon.Add(-time.Hour)
	require.Equal(t, http.StatusOK, post(tokens, typeForm, goodForm).Code)
}

// A flood of names takes no memory without end, and throttles no name that has failed seldom.
func TestThrottleForgets(t *testing.T) {
	tokens := newTokens(t)
	try := func(client, secret string) int {
		return post(tokens, typeForm, "client_id="+client+"&client_secret="+secret).Code
	}
	for n := range 40_000 {
		require.Equal(t, http.StatusUnauthorized, try("x"+strconv.Itoa(n), "guess"))
	}
	require.Equal(t, http.StatusOK, try("crm", "canary-secret"))
}
