package main

import (
	"errors"
	"net/http"

	"github.com/magiclink-go/magiclink"
	"github.com/magiclink-go/magiclink/httpadapter"
)

// routes puts the handlers of the library on the paths of the published document.
func (s *server) routes(config *configFile, address address) (http.Handler, error) {
	businesses, err := config.directory()
	if err != nil {
		return nil, err
	}
	clients, err := config.clients()
	if err != nil {
		return nil, err
	}
	issuer, err := magiclink.New(magiclink.Config{
		BaseURL: address.baseURL, Keys: s.keys, Store: s.store, Businesses: businesses, Logger: s.logger,
	})
	if err != nil {
		return nil, err
	}
	origin := address.origin()
	bearer, err := httpadapter.NewBearer(httpadapter.BearerConfig{Keys: s.keys, Issuer: origin, Audience: origin})
	if err != nil {
		return nil, err
	}
	links, err := httpadapter.New(httpadapter.Config{Issuer: issuer, Authenticator: bearer, Logger: s.logger})
	if err != nil {
		return nil, err
	}
	tokens, err := httpadapter.NewTokenEndpoint(httpadapter.TokenConfig{
		Keys: s.keys, Clients: clients, Businesses: businesses, Issuer: origin, Audience: origin, Logger: s.logger,
	})
	if err != nil {
		return nil, err
	}
	mux := http.NewServeMux()
	mux.Handle(httpadapter.MagicLinkPath, links)
	mux.Handle(httpadapter.TokenPath, tokens)
	mux.Handle(httpadapter.JWKSPath, httpadapter.JWKS(s.keys))
	mux.Handle(httpadapter.OpenAPIPath, httpadapter.OpenAPI())
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) { answerHealth(w, http.StatusOK) })
	mux.HandleFunc("GET /readyz", s.ready)
	mux.HandleFunc("/", notFound)
	return s.observe(mux), nil
}

// ready asks the store for a link that nobody has: that it knows so is an answer.
func (s *server) ready(w http.ResponseWriter, r *http.Request) {
	status := http.StatusOK
	if _, err := s.store.Get(r.Context(), "mlk_2222222222222222222222"); !errors.Is(err, magiclink.ErrNotFound) {
		s.logger.ErrorContext(r.Context(), "the store does not answer", "error", err)
		status = http.StatusServiceUnavailable
	}
	answerHealth(w, status)
}

func answerHealth(w http.ResponseWriter, status int) {
	body := `{"data":{"status":"ok"}}`
	if status != http.StatusOK {
		w.Header().Set("Retry-After", "2")
		body = `{"error":"the store does not answer","data":null}`
	}
	writeJSON(w, status, body)
}

func notFound(w http.ResponseWriter, _ *http.Request) {
	writeJSON(w, http.StatusNotFound, `{"error":"there is nothing at this path","data":null}`)
}

func writeJSON(w http.ResponseWriter, status int, body string) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("X-Content-Type-Options", "nosniff")
	w.WriteHeader(status)
	_, _ = w.Write([]byte(body + "\n")) // a client that has gone needs no answer
}
