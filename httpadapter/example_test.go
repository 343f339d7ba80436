package httpadapter_test

import (
	"errors"
	"fmt"
	"log"
	"net/http"
	"net/http/httptest"
	"strings"

	"github.com/magiclink-go/magiclink"
	"github.com/magiclink-go/magiclink/httpadapter"
	"github.com/magiclink-go/magiclink/store/memory"
)

// exampleKeys and exampleIssuer stand for what a program sets up once: see the examples of package magiclink.
var (
	exampleKeys   = must(magiclink.GenerateKeyring(magiclink.EdDSA))
	exampleIssuer = must(magiclink.New(magiclink.Config{
		BaseURL: "https://app.example.com/magic", Keys: exampleKeys, Store: memory.New(),
	}))
)

func must[T any](value T, err error) T {
	if err != nil {
		log.Fatal(err)
	}
	return value
}

// The route of the spec on http.ServeMux. Register the path without a method: the handler answers other methods itself.
func ExampleNewIssueHandler() {
	bearer, err := httpadapter.NewBearerAuthenticator(httpadapter.BearerConfig{
		Keys: exampleKeys, Issuer: "https://api.example.com", Audience: "https://api.example.com",
	})
	if err != nil {
		log.Fatal(err)
	}
	issue, err := httpadapter.NewIssueHandler(httpadapter.IssueConfig{Issuer: exampleIssuer, Authenticator: bearer})
	if err != nil {
		log.Fatal(err)
	}
	mux := http.NewServeMux()
	mux.Handle(httpadapter.IssuePath, issue)

	request := httptest.NewRequest("POST", "/v0/auth/magic-link", strings.NewReader(`{"business_id": "biz_…"}`))
	answer := httptest.NewRecorder()
	mux.ServeHTTP(answer, request)
	fmt.Println(answer.Code, answer.Header().Get("WWW-Authenticate"))
	fmt.Println(answer.Body)
	// Output:
	// 401 Bearer realm="magiclink"
	// {"error":"an access token is needed: send it as Authorization: Bearer","data":null}
}

// staff is an authority of the application's own. The header is worth something because the proxy before this server
// sets it, and removes it from what comes from outside.
type staff struct{}

func (staff) Authenticate(r *http.Request) (httpadapter.Principal, error) {
	if r.Header.Get("X-Staff") == "" {
		return httpadapter.Principal{}, httpadapter.ErrNoCredentials
	}
	return httpadapter.Principal{ClientID: r.Header.Get("X-Staff"), Scopes: []string{httpadapter.ScopeCreate}}, nil
}

// The handler answers wherever it is mounted: behind a prefix that is stripped, or at a path of its own.
func ExampleNewIssueHandler_prefix() {
	issue, err := httpadapter.NewIssueHandler(httpadapter.IssueConfig{Issuer: exampleIssuer, Authenticator: staff{}})
	if err != nil {
		log.Fatal(err)
	}
	api := http.NewServeMux()
	api.Handle(httpadapter.IssuePath, issue)

	mux := http.NewServeMux()
	mux.Handle("/api/", http.StripPrefix("/api", api))
	mux.Handle("/internal/v0/auth/magic-link", issue)

	for _, path := range []string{"/api/v0/auth/magic-link", "/internal/v0/auth/magic-link"} {
		body := strings.NewReader(`{"external_business_id": "acme", "ttl": 10, "path": "/reports"}`)
		request := httptest.NewRequest("POST", path, body)
		request.Header.Set("Content-Type", "application/json")
		request.Header.Set("X-Staff", "jane")
		answer := httptest.NewRecorder()
		mux.ServeHTTP(answer, request)
		link, _, _ := strings.Cut(answer.Body.String(), "?")
		fmt.Println(answer.Code, link)
	}
	// Output:
	// 201 {"data":{"magic_link":"https://app.example.com/magic/reports
	// 201 {"data":{"magic_link":"https://app.example.com/magic/reports
}

// All faults are reported at once.
func ExampleNewBearerAuthenticator() {
	_, err := httpadapter.NewBearerAuthenticator(httpadapter.BearerConfig{Keys: exampleKeys, Audience: "https://api.example.com#v0"})
	var faults magiclink.ConfigErrors
	if errors.As(err, &faults) {
		for _, fault := range faults {
			fmt.Println(fault)
		}
	}
	// Output:
	// Issuer is required: it is the iss of access tokens
	// Audience is required: it is the aud of access tokens, a URI without a fragment
}

// A client gets a token with HTTP Basic. It lives for an hour unless the client asks for another time.
func ExampleNewTokenHandler() {
	clients, err := httpadapter.StaticClients(httpadapter.Client{
		ID: "crm", SecretSHA256: httpadapter.HashSecret("a long random secret"), TenantID: "t1",
		Scopes: []string{httpadapter.ScopeCreate},
	})
	if err != nil {
		log.Fatal(err)
	}
	token, err := httpadapter.NewTokenHandler(httpadapter.TokenConfig{
		Keys: exampleKeys, Clients: clients, Issuer: "https://api.example.com", Audience: "https://api.example.com",
	})
	if err != nil {
		log.Fatal(err)
	}
	mux := http.NewServeMux()
	mux.Handle(httpadapter.TokenPath, token)

	request := httptest.NewRequest("POST", "/v0/auth/token", strings.NewReader("scope=auth:create&expires_in=600"))
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	request.SetBasicAuth("crm", "a+long+random+secret") // form-encoded, as RFC 6749 section 2.3.1 has it
	answer := httptest.NewRecorder()
	mux.ServeHTTP(answer, request)
	_, rest, _ := strings.Cut(answer.Body.String(), `",`)
	fmt.Println(answer.Code, rest)
	// Output:
	// 200 "token_type":"Bearer","expires_in":600,"scope":"auth:create"}
}

// A list of clients is checked when it is made.
func ExampleStaticClients() {
	_, err := httpadapter.StaticClients(
		httpadapter.Client{ID: "crm", SecretSHA256: httpadapter.HashSecret("a long random secret")},
		httpadapter.Client{ID: "till"},
	)
	fmt.Println(err)
	// Output:
	// magiclink: client 2: it needs the SHA-256 of a secret
}

// Others verify tokens with the public keys from this address.
func ExampleJWKSHandler() {
	mux := http.NewServeMux()
	mux.Handle(httpadapter.JWKSPath, httpadapter.JWKSHandler(exampleKeys))

	answer := httptest.NewRecorder()
	mux.ServeHTTP(answer, httptest.NewRequest("GET", "/.well-known/jwks.json", nil))
	public, err := magiclink.ParseKeyring(answer.Body.Bytes())
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(answer.Header().Get("Content-Type"), public.CanSign(), public.Keys()[0].ID == exampleKeys.Keys()[0].ID)
	// Output:
	// application/jwk-set+json false true
}

// The document of all routes, for the tools of API clients.
func ExampleOpenAPIHandler() {
	mux := http.NewServeMux()
	mux.Handle(httpadapter.OpenAPIPath, httpadapter.OpenAPIHandler())

	answer := httptest.NewRecorder()
	mux.ServeHTTP(answer, httptest.NewRequest("GET", "/openapi.yaml", nil))
	first, _, _ := strings.Cut(answer.Body.String(), "\n")
	fmt.Println(answer.Header().Get("Content-Type"), first)
	// Output:
	// application/yaml openapi: 3.1.0
}
