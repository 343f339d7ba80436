package httpadapter_test

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"strconv"
	"strings"
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
			require.Contains(t, w.Body.String(), `"error_description":"too many wrong secrets from this address: try again in 6 s"`)
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

// throttledTokens is a token endpoint with the clients "crm" and "till", and a header for the address of the client.
func throttledTokens(t *testing.T) func(address, client, secret string) int {
	t.Helper()
	hash := httpadapter.HashSecret("canary-secret")
	clients, err := httpadapter.StaticClients(
		httpadapter.Client{ID: "crm", SecretSHA256: hash}, httpadapter.Client{ID: "till", SecretSHA256: hash})
	require.NoError(t, err)
	tokens := newTokens(t, func(c *httpadapter.TokenConfig) {
		c.Clients = clients
		c.ClientAddress = func(r *http.Request) netip.Addr {
			address, _ := netip.ParseAddr(r.Header.Get("X-Test-Client"))
			return address
		}
	})
	return func(address, client, secret string) int {
		return post(tokens, typeForm, "client_id="+client+"&client_secret="+secret, "X-Test-Client", address).Code
	}
}

// Somebody who knows the id of a client does not keep it from its tokens, from however many addresses the wrong secrets come.
func TestWrongSecretsStopNoClientElsewhere(t *testing.T) {
	for name, row := range map[string]struct {
		stranger string
		tries    int
	}{"IPv4": {"198.51.100.%d", 500}, "IPv6": {"2001:db8:66:%x00::1", 80}} {
		try, stranger := throttledTokens(t), row.stranger
		statuses := map[int]int{}
		for n := range 2000 {
			statuses[try(fmt.Sprintf(stranger, n/40), "crm", "guess")]++
		}
		require.Equal(t, row.tries, statuses[http.StatusUnauthorized], name)
		require.Equal(t, 2000-row.tries, statuses[http.StatusTooManyRequests], "the control: %s", name)
		require.Equal(t, http.StatusTooManyRequests, try(fmt.Sprintf(stranger, 0), "crm", "canary-secret"), name)
		require.Equal(t, http.StatusOK, try("203.0.113.1", "crm", "canary-secret"), name)
		require.Equal(t, http.StatusOK, try("2001:db8:67::1", "crm", "canary-secret"), name)
		require.Equal(t, http.StatusOK, try(fmt.Sprintf(stranger, 0), "till", "canary-secret"), "%s: another client at that address", name)
	}
}

// Nobody tries one client after the other.
func TestWrongSecretsOfManyClients(t *testing.T) {
	for name, row := range map[string]struct {
		address string
		tries   int
		others  string
	}{
		"one address of IPv4": {"198.51.100.7", 100, "198.51.100.8"},
		"a /64 of IPv6":       {"2001:db8:66::%x", 100, "2001:db8:66:1::1"},
		"a /56 of IPv6":       {"2001:db8:66:1%02x::1", 400, "2001:db8:66:200::1"},
		"a /48 of IPv6":       {"2001:db8:66:%x00::1", 800, "2001:db8:67::1"},
	} {
		try := throttledTokens(t)
		statuses := map[int]int{}
		for n := range 3000 {
			address := row.address
			if strings.Contains(address, "%") {
				address = fmt.Sprintf(address, n/50)
			}
			statuses[try(address, "client"+strconv.Itoa(n), "guess")]++
		}
		require.Equal(t, row.tries, statuses[http.StatusUnauthorized], name)
		require.Equal(t, 3000-row.tries, statuses[http.StatusTooManyRequests], name)
		require.Equal(t, http.StatusOK, try(row.others, "crm", "canary-secret"), name)
	}
}

// Without an address a client is throttled alone, and not with all others.
func TestWrongSecretsFromNowhere(t *testing.T) {
	try := throttledTokens(t)
	for n := range 200 {
		require.Equal(t, http.StatusUnauthorized, try("", "x"+strconv.Itoa(n), "guess"))
	}
	for range 10 {
		require.Equal(t, http.StatusUnauthorized, try("", "till", "guess"))
	}
	require.Equal(t, http.StatusTooManyRequests, try("", "till", "canary-secret"))
	require.Equal(t, http.StatusOK, try("", "crm", "canary-secret"))
}

// The address is that of the connection, whatever the client writes.
func TestWrongSecretsFromAForgedAddress(t *testing.T) {
	tokens := newTokens(t)
	for n := range 11 {
		forged := fmt.Sprint("10.0.0.", n)
		got := post(tokens, typeForm, goodForm+"x", "X-Forwarded-For", forged, "X-Real-IP", forged, "Forwarded", "for="+forged).Code
		require.Equal(t, n < 10, got == http.StatusUnauthorized)
		require.Equal(t, n >= 10, got == http.StatusTooManyRequests)
	}
}

// A flood of names takes no memory without end, and throttles no name that has failed seldom.
func TestThrottleForgets(t *testing.T) {
	try := throttledTokens(t)
	for n := range 40_000 {
		require.Equal(t, http.StatusUnauthorized, try(fmt.Sprintf("10.%d.%d.1", n/256, n%256), "x"+strconv.Itoa(n), "guess"))
	}
	require.Equal(t, http.StatusOK, try("192.0.2.1", "crm", "canary-secret"))
}
