package contracttest

import (
	"context"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/magiclink-go/magiclink/httpadapter"
)

func TestClientAuthenticates(t *testing.T) {
	s := newService(t)
	for name, r := range map[string]request{
		"in the form":                           asked(),
		"by Basic":                              plain().with(basic("crm", secret)),
		"by Basic, naming itself in the form":   plain("client_id", "crm").with(basic("crm", secret)),
		"by Basic, with an empty secret beside": plain("client_secret", "").with(basic("crm", secret)),
		"by Basic, with an id of signs":         plain().with(basic("app:1+2", secret)),
		"in the form, with an id of signs":      plain("client_id", "app:1+2", "client_secret", secret),
		"with the grant type":                   asked("grant_type", "client_credentials"),
		"with an unknown parameter":             asked("audience", "x", "assertion", "y"),
		"with empty parameters": asked("grant_type", "", "scope", "", "business_id", "", "expires_in", "",
			"resource", ""),
		"with a charset":                        asked().with(header("Content-Type", "application/x-www-form-urlencoded; charset=UTF-8")),
		"with a charset that forms do not have": asked().with(header("Content-Type", "application/x-www-form-urlencoded; charset=ISO-8859-1")),
		"chunked":                               asked().with(chunked),
	} {
		t.Run(name, func(t *testing.T) { s.granted(t, r) })
	}
}

// The scheme of HTTP Basic is read without regard to case, too (RFC 9110 section 11.1).
func TestBasicSchemeInAnyCase(t *testing.T) {
	s := newService(t)
	r := plain().with(basic("crm", secret))
	encoded := r.header.Get("Authorization")[len("Basic"):]
	for _, scheme := range []string{"basic", "BASIC"} {
		s.granted(t, plain().with(header("Authorization", scheme+encoded)))
	}
}

func TestClientDoesNotAuthenticate(t *testing.T) {
	s := newService(t)
	good := plain().with(basic("crm", secret)).header.Get("Authorization")
	s.refuse(t, []ask{
		{"nothing", plain(), invalidClient},
		{"no secret", plain("client_id", "crm"), invalidClient},
		{"an empty secret", plain("client_id", "crm", "client_secret", ""), invalidClient},
		{"no id", plain("client_secret", secret), invalidClient},
		{"a wrong secret", plain("client_id", "crm", "client_secret", secret+"x"), invalidClient},
		{"an unknown client", plain("client_id", "CRM", "client_secret", secret), invalidClient},
		{"the hash for the secret", plain("client_id", "crm", "client_secret", string(make([]byte, 32))), invalidClient},
		{"Basic: a wrong secret", plain().with(basic("crm", "x")), invalidClient},
		{"Basic: an empty secret", plain().with(basic("crm", "")), invalidClient},
		{"Basic: an empty id", plain().with(basic("", secret)), invalidClient},
		{"Basic: not encoded", plain().with(rawBasic("crm", secret)), invalidClient},
		{"Basic: a bad escape", plain().with(rawBasic("crm", "100%")), invalidClient},
		{"Basic: encoded twice", plain().with(basic("crm", form(secret, ""))), invalidClient},
		{"Basic: no colon", plain().with(header("Authorization", "Basic Y3Jt")), invalidClient},
		{"Basic: not base64", plain().with(header("Authorization", "Basic !")), invalidClient},
		{"another scheme", plain().with(header("Authorization", "Bearer x")), invalidClient},
		{"an empty header", plain().with(header("Authorization", "")), invalidClient},
		{"both ways", asked().with(basic("crm", secret)), invalidRequest},
		{"both ways, one of them wrong", asked().with(basic("crm", "x")), invalidRequest},
		{"two headers", plain().with(header("Authorization", good, good)), invalidRequest},
		{"Basic and another id in the form", plain("client_id", "till").with(basic("crm", secret)), invalidRequest},
	})
}

// Which clients there are must not be seen from an answer.
func TestUnknownClientAndWrongSecretLookTheSame(t *testing.T) {
	s := newService(t)
	wrong := s.refused(t, plain("client_id", "crm", "client_secret", "x"), invalidClient)
	unknown := s.refused(t, plain("client_id", "nobody", "client_secret", "x"), invalidClient)
	require.Equal(t, string(wrong.body), string(unknown.body))
	wrong.header.Del("Date")
	unknown.header.Del("Date")
	require.Equal(t, wrong.header, unknown.header)
}

func TestFormOfTheTokenRequest(t *testing.T) {
	s := newService(t, func(o *options) { o.token.MaxBody = 1000 })
	good := asked()
	query := func(text string) spoil { return path(httpadapter.TokenPath + "?" + text) }
	long := string(make([]byte, 1000))
	asks := []ask{
		{"credentials in the query", plain().with(query(good.body)), invalidRequest},
		{"the grant type in the query", good.with(query("grant_type=client_credentials")), invalidRequest},
		{"anything in the query", good.with(query("x=1")), invalidRequest},
		{"a bad escape", good.with(body(good.body + "&x=%zz")), invalidRequest},
		{"a semicolon", good.with(body(good.body + ";x=1")), invalidRequest},
		{"JSON", good.with(header("Content-Type", "application/json"), body(`{"client_id":"crm"}`)), invalidRequest},
		{"no content type", good.with(header("Content-Type")), invalidRequest},
		{"two content types", good.with(
			header("Content-Type", good.header.Get("Content-Type"), "text/plain")), invalidRequest},
		{"multipart", good.with(header("Content-Type", "multipart/form-data; boundary=x")), invalidRequest},
		{"gzip", good.with(header("Content-Encoding", "gzip")), invalidRequest},
		{"too large", asked("x", long), refusal{413, "invalid_request"}},
		{"too large, chunked", asked("x", long).with(chunked), refusal{413, "invalid_request"}},
	}
	for _, name := range []string{
		"client_id", "client_secret", "grant_type", "scope", "business_id", "expires_in", "unknown",
	} {
		asks = append(asks,
			ask{name + " repeated", asked().with(body(form(name, "x", name, "x"))), invalidRequest},
			ask{name + " repeated, once empty", asked().with(body(form(name, "", name, "x"))), invalidRequest})
	}
	for _, grant := range []string{
		"password", "authorization_code", "refresh_token", "CLIENT_CREDENTIALS", "client_credentials ",
	} {
		asks = append(asks, ask{"grant type " + grant, asked("grant_type", grant), refusal{422, "unsupported_grant_type"}})
	}
	s.refuse(t, asks)
}

func TestTokenEndpointWithOtherMethods(t *testing.T) {
	s := newService(t)
	for _, name := range []string{"GET", "PUT", "DELETE", "OPTIONS"} {
		got := s.send(t, asked().with(method(name)))
		require.Equal(t, http.StatusMethodNotAllowed, got.status)
		require.Equal(t, http.MethodPost, got.header.Get("Allow"))
		got.members(t, "error", "error_description", "data")
		checkTokenHeaders(t, asked(), got)
	}
}

type clientsFunc func(context.Context) (httpadapter.Client, error)

func (f clientsFunc) FindClient(ctx context.Context, _ string) (httpadapter.Client, error) {
	return f(ctx)
}

func TestTokenEndpointOutages(t *testing.T) {
	down := refusal{503, "temporarily_unavailable"}
	for name, find := range map[string]clientsFunc{
		"the directory fails": func(context.Context) (httpadapter.Client, error) { return httpadapter.Client{}, errOutage },
		"the directory hangs": func(ctx context.Context) (httpadapter.Client, error) {
			return httpadapter.Client{}, hang(ctx)
		},
		"the directory panics": func(context.Context) (httpadapter.Client, error) { panic(errOutage) },
	} {
		t.Run(name, func(t *testing.T) {
			s := newService(t, func(o *options) { o.token.Clients, o.token.Timeout = find, 20*time.Millisecond })
			got := s.refused(t, asked(), down)
			require.NotContains(t, string(got.body), errOutage.Error())
			require.Contains(t, s.log.String(), "level=ERROR")
			require.NotContains(t, s.log.String(), secret)
		})
	}
	t.Run("the businesses fail", func(t *testing.T) {
		s := newService(t, func(o *options) { o.token.Businesses = brokenDirectory })
		s.granted(t, asked()) // which asks for no business
		s.refused(t, asked("business_id", acme), down)
		require.Contains(t, s.log.String(), errOutage.Error())
	})
}
