// Command chi mounts the API of httpadapter on a chi router, below a prefix and behind chi's middleware.
package main

import (
	"log"
	"net/http"
	"time"

	"github.com/go-chi/chi/v5"
	"github.com/go-chi/chi/v5/middleware"

	"github.com/magiclink-go/magiclink"
	"github.com/magiclink-go/magiclink/httpadapter"
	"github.com/magiclink-go/magiclink/store/memory"
)

// apiURL names this API in access tokens, as their issuer and their audience.
const apiURL = "https://app.example.com/api"

func main() {
	keys, err := magiclink.GenerateKeyring(magiclink.EdDSA)
	if err != nil {
		log.Fatal(err)
	}
	// In earnest the secret comes from the environment, and a store from store/sqlite.
	clients, err := httpadapter.StaticClients(httpadapter.Client{
		ID: "crm", SecretSHA256: httpadapter.HashSecret("a long random secret"), TenantID: "t1",
		Scopes: []string{httpadapter.ScopeCreate},
	})
	if err != nil {
		log.Fatal(err)
	}
	router, err := newRouter(keys, clients, memory.New())
	if err != nil {
		log.Fatal(err)
	}
	server := &http.Server{Addr: "127.0.0.1:8080", Handler: router, ReadTimeout: 10 * time.Second}
	log.Fatal(server.ListenAndServe())
}

// newRouter serves the API below /api, which the handlers need not know. An application that serves everything at the root
// of its origin takes httpadapter.NewService instead.
func newRouter(
	keys *magiclink.Keyring, clients httpadapter.ClientDirectory, store magiclink.Store,
) (http.Handler, error) {
	issuer, err := magiclink.New(magiclink.Config{
		BaseURL: "https://app.example.com/magic", Keys: keys, Store: store,
		// In earnest a directory that knows which businesses a tenant has: AnyBusiness believes every client.
		Businesses: magiclink.AnyBusiness,
	})
	if err != nil {
		return nil, err
	}
	bearer, err := httpadapter.NewBearerAuthenticator(httpadapter.BearerConfig{Keys: keys, Issuer: apiURL, Audience: apiURL})
	if err != nil {
		return nil, err
	}
	issue, err := httpadapter.NewIssueHandler(httpadapter.IssueConfig{Issuer: issuer, Authenticator: bearer})
	if err != nil {
		return nil, err
	}
	token, err := httpadapter.NewTokenHandler(httpadapter.TokenConfig{
		Keys: keys, Clients: clients, Issuer: apiURL, Audience: apiURL,
	})
	if err != nil {
		return nil, err
	}

	router := chi.NewRouter()
	router.Use(middleware.RequestID, middleware.Recoverer)
	router.Route("/api", func(api chi.Router) {
		// Handle rather than Post: the handlers answer other methods themselves, in their own envelope.
		api.Handle(httpadapter.TokenPath, token)
		api.Handle(httpadapter.IssuePath, issue)
		api.Handle(httpadapter.OpenAPIPath, httpadapter.OpenAPIHandler())
	})
	router.Handle(httpadapter.JWKSPath, httpadapter.JWKSHandler(keys)) // a well-known path stands at the root
	return router, nil
}
