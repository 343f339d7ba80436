package main

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"

	"github.com/magiclink-go/magiclink"
	"github.com/magiclink-go/magiclink/httpadapter"
)

// routes puts the handlers of the library on the paths of the published document.
func (s *server) routes(config *configFile, address address) (http.Handler, error) {
	mux := http.NewServeMux()
	if err := s.routeAPI(mux, config, address); err != nil {
		return nil, err
	}
	mux.Handle(httpadapter.JWKSPath, httpadapter.JWKS(s.keys))
	mux.Handle(httpadapter.OpenAPIPath, httpadapter.OpenAPI())
	mux.HandleFunc("/healthz", func(w http.ResponseWriter, _ *http.Request) { answerHealth(w, http.StatusOK) })
	mux.HandleFunc("/readyz", s.ready)
	handler, err := s.routeRedemption(mux, address)
	if err != nil {
		return nil, err
	}
	return s.observe(handler), nil
}

// routeAPI adds what issues links.
func (s *server) routeAPI(mux *http.ServeMux, config *configFile, address address) error {
	businesses, err := config.directory()
	if err != nil {
		return err
	}
	clients, err := config.clients()
	if err != nil {
		return err
	}
	issuer, err := magiclink.New(magiclink.Config{
		BaseURL: address.baseURL, Keys: s.keys, Store: s.store, Businesses: businesses, Logger: s.logger,
	})
	if err != nil {
		return err
	}
	origin := address.origin()
	bearer, err := httpadapter.NewBearer(httpadapter.BearerConfig{Keys: s.keys, Issuer: origin, Audience: origin})
	if err != nil {
		return err
	}
	links, err := httpadapter.New(httpadapter.Config{Issuer: issuer, Authenticator: bearer, Logger: s.logger})
	if err != nil {
		return err
	}
	tokens, err := httpadapter.NewTokenEndpoint(httpadapter.TokenConfig{
		Keys: s.keys, Clients: clients, Businesses: businesses, Issuer: origin, Audience: origin, Logger: s.logger,
	})
	if err != nil {
		return err
	}
	mux.Handle(httpadapter.MagicLinkPath, links)
	mux.Handle(httpadapter.TokenPath, tokens)
	return nil
}

// routeRedemption adds what redeems links, and what a session is good for.
func (s *server) routeRedemption(mux *http.ServeMux, address address) (http.Handler, error) {
	redeemer, err := magiclink.NewRedeemer(magiclink.RedeemerConfig{
		BaseURL: address.baseURL, Keys: s.keys, Store: s.store, Logger: s.logger,
	})
	if err != nil {
		return nil, err
	}
	sessions, err := magiclink.NewSessions(magiclink.SessionsConfig{BaseURL: address.baseURL, Keys: s.keys})
	if err != nil {
		return nil, err
	}
	page, err := httpadapter.NewPage(httpadapter.PageConfig{Redeemer: redeemer, Sessions: sessions, Logger: s.logger})
	if err != nil {
		return nil, err
	}
	redeem, err := httpadapter.NewRedeemHandler(httpadapter.RedeemConfig{
		Redeemer: redeemer, Sessions: sessions, Logger: s.logger,
	})
	if err != nil {
		return nil, err
	}
	mux.Handle(httpadapter.RedeemPath, redeem)
	mux.Handle(httpadapter.SessionPath, httpadapter.SessionInfo(sessions))
	mux.Handle("/logout", logout())
	return routePage(mux, address.path(), page, landing(sessions))
}

// routePage puts the redemption page at the route of the links and below it, and the landing page at all that is left.
func routePage(mux *http.ServeMux, route string, page, landing http.Handler) (http.Handler, error) {
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		if isRead(r) {
			landing.ServeHTTP(w, r)
			return
		}
		notFound(w, r)
	})
	if route == "" {
		return pageFirst(page, mux), nil
	}
	if _, taken := mux.Handler(&http.Request{Method: http.MethodGet, URL: &url.URL{Path: route}}); taken == route {
		return nil, fmt.Errorf("the path of -base-url, %s, cannot be used: take another, such as /magic", route)
	}
	mux.Handle(route, page)
	mux.Handle(route+"/", page)
	return mux, nil
}

// pageFirst is for links at the root: they may lead to any path, and are known by their token.
func pageFirst(page, rest http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if isRead(r) && r.URL.Query().Has("token") || r.Method == http.MethodPost && r.URL.Path == "/" {
			page.ServeHTTP(w, r)
			return
		}
		rest.ServeHTTP(w, r)
	})
}

func isRead(r *http.Request) bool { return r.Method == http.MethodGet || r.Method == http.MethodHead }

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
