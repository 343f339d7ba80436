package httpadapter

import (
	"log/slog"
	"maps"
	"net/http"
	"path"
	"slices"
	"strings"

	"github.com/magiclink-go/magiclink"
)

// route puts the handlers on their paths.
func (s *Service) route(found *faults, c ServiceConfig) {
	s.routes = map[string]http.Handler{
		RedeemPath: s.redeem, SessionPath: s.session, LogoutPath: s.logout,
		JWKSPath: JWKSHandler(c.Config.Keys, c.Config.SessionKeys), OpenAPIPath: OpenAPIHandler(), OpenAPIJSONPath: OpenAPIJSONHandler(),
	}
	if c.Clients != nil {
		s.routes[IssuePath], s.routes[TokenPath] = s.issue, s.token
		s.routes[MetadataPath] = s.metadata(found, c)
		s.routeSeeing(c.Config.Store)
	}
	s.routeSignIn(c.SignIn)
	if c.Health {
		s.routes[HealthPath] = readOnly(s.page.logger, http.HandlerFunc(showHealth))
		s.routes[ReadyPath] = readOnly(s.page.logger, s.readiness(c))
	}
	if s.people != nil {
		if _, taken := s.routes[c.SessionsPath]; taken {
			found.add("SessionsPath", "is the path of another route: choose another, such as "+SessionsPath)
		}
		s.routes[c.SessionsPath] = s.people
	}
	if s.notFound = c.NotFound; s.notFound == nil {
		s.notFound = http.HandlerFunc(nothingHere)
	}
	if taken := s.takenByPage(); taken != "" {
		found.add("Config.BaseURL", "has a path that takes the place of "+taken+": choose another path, such as /magic")
	}
}

// routeSeeing adds the routes that show and end what was issued, as far as the store can do it.
func (s *Service) routeSeeing(store magiclink.Store) {
	s.trees = map[string]http.Handler{LinksPath: s.links, SessionsAPIPath: s.live}
	if _, ok := magiclink.StoreAs[magiclink.Lister](store); ok {
		s.routes[LinksPath], s.routes[SessionsAPIPath] = s.links, s.live
	}
	if _, ok := magiclink.StoreAs[magiclink.SubjectRevoker](store); ok {
		s.routes[revokeSubjectPath] = s.links
	}
	_, counts := magiclink.StoreAs[magiclink.Limiter](store)
	if _, looks := magiclink.StoreAs[magiclink.LimitPeeker](store); counts && looks {
		s.routes[LimitsPath], s.routes[LimitsPath+"/reset"] = s.limits, s.limits
	}
}

const revokeSubjectPath = LinksPath + "/revoke"

func (s *Service) metadata(found *faults, c ServiceConfig) http.Handler {
	issuer, _ := c.names(s.redeemer.BaseURL())
	site := originOf(s.redeemer.BaseURL())
	handler, err := NewMetadataHandler(MetadataConfig{
		Issuer: issuer, TokenEndpoint: site + TokenPath, JWKSURI: site + JWKSPath,
	})
	found.take(err, serviceField)
	return handler
}

func (s *Service) readiness(c ServiceConfig) http.Handler {
	keys := []*magiclink.Keyring{c.Config.Keys}
	if c.Config.SessionKeys != nil {
		keys = append(keys, c.Config.SessionKeys)
	}
	shared := newEndpoint(new(faults), 0, c.Timeout, "", c.Logger)
	return &readiness{store: c.Config.Store, keys: keys, more: c.Ready, endpoint: shared}
}

// takenByPage returns a route that nobody could reach, because the page answers all paths at and below its own.
func (s *Service) takenByPage() string {
	route := s.page.route.path
	paths := make([]string, 0, len(s.routes))
	for _, p := range slices.AppendSeq(slices.Collect(maps.Keys(s.routes)), maps.Keys(s.trees)) {
		if route != "" && (p == route || strings.HasPrefix(p, route+"/")) {
			paths = append(paths, p)
		}
	}
	if len(paths) == 0 {
		return ""
	}
	return slices.Min(paths)
}

// ServeHTTP implements [http.Handler]. It does not use [http.ServeMux], whose redirects would repeat the token of a link.
func (s *Service) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if s == nil || s.routes == nil {
		uninitialized(w, r, "Service")
		return
	}
	s.handler(r).ServeHTTP(w, r)
}

func (s *Service) handler(r *http.Request) http.Handler {
	if s.page.Matches(r) {
		return s.page
	}
	if handler, ok := s.routes[r.URL.Path]; ok {
		return handler
	}
	for tree, handler := range s.trees {
		if strings.HasPrefix(r.URL.Path, tree+"/") && r.URL.Path != revokeSubjectPath {
			return handler
		}
	}
	cleaned := path.Clean("/" + r.URL.Path)
	for _, tree := range []string{"/v0", "/.well-known"} {
		if cleaned == tree || strings.HasPrefix(cleaned, tree+"/") {
			return http.HandlerFunc(nothingHere)
		}
	}
	return s.notFound
}

// nothingHere answers 404. The address of the request may hold a credential, so the answer has the headers that keep it.
func nothingHere(w http.ResponseWriter, r *http.Request) {
	header := w.Header()
	header.Set("Referrer-Policy", "no-referrer")
	header.Set("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'")
	fault := &problem{status: http.StatusNotFound, code: "there is nothing at this path: see " + OpenAPIPath}
	fault.write(w, r, slog.Default())
}

// parts returns the service, or one without parts for a nil pointer: each part then says that it is not initialized.
func (s *Service) parts() *Service {
	if s == nil {
		return new(Service)
	}
	return s
}

// Issuer returns the issuer, for an application that issues links itself.
func (s *Service) Issuer() *magiclink.Issuer { return s.parts().issuer }

// Redeemer returns the redeemer.
func (s *Service) Redeemer() *magiclink.Redeemer { return s.parts().redeemer }

// Sessions returns the sessions, for [RequireSession].
func (s *Service) Sessions() *magiclink.Sessions { return s.parts().sessions }

// Page returns the redemption page.
func (s *Service) Page() *Page { return s.parts().page }

// IssueHandler returns the handler of IssuePath. It is nil without Clients.
func (s *Service) IssueHandler() *IssueHandler { return s.parts().issue }

// TokenHandler returns the handler of TokenPath. It is nil without Clients.
func (s *Service) TokenHandler() *TokenHandler { return s.parts().token }

// LinksHandler returns the handler of LinksPath. It is nil without Clients.
func (s *Service) LinksHandler() *LinksHandler { return s.parts().links }

// SessionsHandler returns the handler of SessionsAPIPath. It is nil without Clients.
func (s *Service) SessionsHandler() *SessionsHandler { return s.parts().live }

// LimitsHandler returns the handler of LimitsPath. It is nil without Clients.
func (s *Service) LimitsHandler() *LimitsHandler { return s.parts().limits }

// RedeemHandler returns the handler of RedeemPath.
func (s *Service) RedeemHandler() *RedeemHandler { return s.parts().redeem }

// SessionHandler returns the handler of SessionPath.
func (s *Service) SessionHandler() *SessionHandler { return s.parts().session }

// SessionsPage returns the page of a person's own sessions. It is nil without SessionsPath.
func (s *Service) SessionsPage() *SessionsPage { return s.parts().people }

// LogoutHandler returns the handler of LogoutPath.
func (s *Service) LogoutHandler() *LogoutHandler { return s.parts().logout }
