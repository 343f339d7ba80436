package httpadapter

import (
	"context"
	"log/slog"
	"net/http"
	"net/netip"
	"time"

	"github.com/magiclink-go/magiclink"
	"github.com/magiclink-go/magiclink/internal/nilvalue"
)

// ServiceConfig configures a [Service]. Only Config is required.
type ServiceConfig struct {
	// Config configures issuing, redeeming and sessions. Its Issuer and Audience are also the "iss" and the "aud" of access
	// tokens; empty means the origin of BaseURL. Its Store is required. Nil Refusals are replaced by some of the service.
	Config magiclink.Config

	// Clients are the programs that may ask for access tokens, with which they issue links over HTTP. Nil serves an
	// application that issues its links itself, with [Service.Issuer]: the token endpoint, its metadata and the routes that
	// issue, show and revoke links, and show limits, are not served then. Clients of a tenant need Config.Businesses.
	Clients ClientDirectory

	// SignIn is the flow from an e-mail address to a session: make one with the package signin. Its page is the redemption page, and it
	// decides who may use its links. Nil serves none of its routes. Beside it App, NewLinkURL and Page must not be set.
	SignIn SignIn

	// App is the name of the application on the redemption page. Empty means the host of the links.
	App string

	// NewLinkURL is where a person can ask for a new link: an absolute https URL, or a local path. Optional.
	NewLinkURL string

	// Page is what else the redemption page can be told, for example its look or what happens at a sign-in. Its Redeemer,
	// Sessions, App, NewLinkURL, Timeout, Now and Logger must not be set: the page gets those of this configuration.
	Page PageConfig

	// MaxTokenLifetime is the longest life of an access token, in whole seconds. Zero means 24 hours.
	MaxTokenLifetime time.Duration

	// Resources are the other resource servers for which a client may ask for a token: see [TokenConfig].
	Resources []string

	// ClientAddress returns the address that a request for a token comes from: see [TokenConfig]. Set it behind a proxy. Nil means the address of
	// the connection.
	ClientAddress func(*http.Request) netip.Addr

	// AllowedOrigins are the origins whose pages may redeem links as JSON: see [RedeemConfig].
	AllowedOrigins []string

	// AfterLogout is the local path to which the browser is redirected after it has signed out. Empty means "/".
	AfterLogout string

	// SessionsPath is the local path of the page on which people see and end their own sessions, such as [SessionsPath]. The
	// page looks like the redemption page, sends people without a session to NewLinkURL, and after signing out to
	// AfterLogout. Empty means that it is not served.
	SessionsPath string

	// DescribeSession says on which device a session is, instead of [magiclink.Session.Device]: see [SessionsPageConfig.Describe]. Optional.
	DescribeSession func(r *http.Request, session magiclink.Session) string

	// Health serves GET /healthz, which answers 200 while the process is alive, and GET /readyz, which answers 200 while
	// the store answers, the keys can sign, and Ready returns nil, and 503 otherwise.
	Health bool

	// Ready is one more check of /readyz. Its error is logged and not sent. Nil means none.
	Ready func(context.Context) error

	// NotFound answers every request that is for none of the routes. Nil means 404 as JSON. An application gives its own
	// routes here, for example an http.ServeMux.
	NotFound http.Handler

	Timeout time.Duration // how long store and directories may take: see Timeouts in the package documentation; zero means 5 s
	Logger  *slog.Logger  // takes the causes of 503 answers; nil means Config.Logger
}

// Service is every route of the published document in one handler:
//
//	POST /v0/auth/token                           an access token (with Clients)
//	POST /v0/auth/magic-link                      issues a link (with Clients)
//	/v0/auth/magic-links and below it             shows and revokes links: see [LinksHandler] (with Clients)
//	/v0/auth/sessions and below it                shows and ends sessions: see [SessionsHandler] (with Clients)
//	/v0/auth/limits, /v0/auth/limits/reset        shows and resets limits: see [LimitsHandler] (with Clients)
//	POST /v0/auth/magic-link/redeem               redeems a link, for back ends and single-page apps
//	the path of BaseURL and everything below it   the redemption page
//	GET  /sign-in, /sign-in/check                 asking for a link, and waiting for it (with SignIn)
//	POST /v0/auth/sign-in, /v0/auth/sign-in/code  the same for single-page and native apps (with SignIn)
//	GET  /session                                 the current session as JSON
//	POST /logout                                  ends the session
//	GET  SessionsPath, POST SessionsPath          a person's own sessions (with SessionsPath)
//	GET  /.well-known/jwks.json                   the public keys
//	GET  /.well-known/oauth-authorization-server  the metadata of RFC 8414 (with Clients)
//	GET  /openapi.yaml, /openapi.json             the document
//	GET  /healthz, /readyz                        with Health
//
// The lists are served if the Store is a [magiclink.Lister], and the route that revokes a subject if the Store is a
// [magiclink.SubjectRevoker], and those of the limits if it is a [magiclink.Limiter] and a [magiclink.LimitPeeker]; otherwise these
// paths are 404 like unknown ones.
//
// Where BaseURL has no path, the page answers only what carries the token of a link: "/reset-password?token=abc" stays the
// application's. Every other path below /v0 and /.well-known is 404 as JSON, and all that is left goes to NotFound.
//
// Use a Service as the handler of a server, and give it the application's routes as NotFound. Inside an [http.ServeMux] it
// works, too; but a ServeMux redirects an address such as "//magic?token=…" before the Service sees it, and repeats the
// token in that answer.
//
// A Service must get the paths as browsers see them. Behind [http.StripPrefix], or a proxy that removes a prefix, it does not work: its
// pages lead to /sign-in and to the BaseURL at the root of the host. Mount the Service at the root, and give it routes with a
// prefix as NotFound. Where the root belongs to another program, give the Service a host of its own. Without SignIn the
// single handlers answer wherever they are mounted.
//
// Make one with [NewService]; the zero value answers 503. It is safe for concurrent use.
type Service struct {
	issuer   *magiclink.Issuer
	redeemer *magiclink.Redeemer
	sessions *magiclink.Sessions

	issue   *IssueHandler // nil without Clients, like links, live, limits and token
	links   *LinksHandler
	live    *SessionsHandler
	limits  *LimitsHandler
	token   *TokenHandler
	redeem  *RedeemHandler
	page    *Page
	session *SessionHandler
	logout  *LogoutHandler
	people  *SessionsPage // nil without SessionsPath

	routes   map[string]http.Handler // by their exact paths
	trees    map[string]http.Handler // by the path in front of an id
	notFound http.Handler
}

// NewService reports every fault of the configuration at once, as [magiclink.ConfigErrors]. A fault of a part is reported
// with the name of the field in front, as in "Config.BaseURL". What depends on Config is checked when Config has no fault.
func NewService(config ServiceConfig) (*Service, error) {
	var found faults
	s := new(Service)
	if config.Config.Refusals == nil {
		config.Config.Refusals = new(magiclink.Refusals)
	}
	s.makeCore(&found, config.Config)
	if len(found) > 0 { // every part needs it
		config.checkAlone(&found)
		return nil, found.err()
	}
	if config.Logger == nil {
		config.Logger = config.Config.Logger
	}
	config.checkAlone(&found)
	s.makeParts(&found, config)
	if len(found) == 0 {
		s.route(&found, config)
	}
	if err := found.err(); err != nil {
		return nil, err
	}
	return s, nil
}

// makeCore makes what the handlers work with. All three constructors read one Config, so each fault is reported once.
func (s *Service) makeCore(found *faults, config magiclink.Config) {
	var err error
	if s.issuer, err = magiclink.New(config); found.take(err, coreField) {
		return
	}
	s.redeemer, err = magiclink.NewRedeemer(config)
	found.take(err, coreField)
	s.sessions, err = magiclink.NewSessions(config)
	if !found.take(err, coreField) && !s.sessions.CanGrant() {
		found.add("Config.SessionKeys", "has no key that can sign: load the keyring with its private keys")
	}
}

// checkAlone checks the fields that no part checks, and those of the API, which has no part without Clients.
func (c *ServiceConfig) checkAlone(found *faults) {
	for _, field := range []struct {
		name string
		set  bool
	}{
		{"Redeemer", c.Page.Redeemer != nil},
		{"Sessions", c.Page.Sessions != nil},
		{"App", c.Page.App != ""},
		{"NewLinkURL", c.Page.NewLinkURL != ""},
		{"Timeout", c.Page.Timeout != 0},
		{"Now", c.Page.Now != nil},
		{"Logger", c.Page.Logger != nil},
	} {
		if field.set {
			found.add("Page."+field.name, "must not be set: the page gets that of the service")
		}
	}
	c.checkSignIn(found)
	checkLifetime(found, "MaxTokenLifetime", c.MaxTokenLifetime)
	newResources(found, "", c.Resources)
	if c.NotFound != nil && nilvalue.Is(c.NotFound) {
		found.add("NotFound", "is a nil value in an interface: set a handler, or nothing")
	}
}

func (s *Service) makeParts(found *faults, c ServiceConfig) {
	now, err := c.Config.Now, error(nil)
	page := c.Page
	if c.SignIn != nil {
		page = s.takePage(found, c.SignIn)
	} else {
		page.Redeemer, page.Sessions, page.App, page.NewLinkURL = s.redeemer, s.sessions, c.App, c.NewLinkURL
		page.Timeout, page.Now, page.Logger = c.Timeout, now, c.Logger
		s.page, err = NewPage(page)
		found.take(err, pageField)
	}
	s.redeem, err = NewRedeemHandler(RedeemConfig{
		Redeemer: s.redeemer, Sessions: s.sessions, Binding: s.page.binding(), Admit: s.page.admission(), OnRedeem: s.page.onRedeem(),
		AllowedOrigins: c.AllowedOrigins, Timeout: c.Timeout, Now: now, Logger: c.Logger,
	})
	found.take(err, serviceField)
	s.session, err = NewSessionHandler(SessionConfig{Sessions: s.sessions, Timeout: c.Timeout, Logger: c.Logger})
	found.take(err, serviceField)
	s.logout, err = NewLogoutHandler(LogoutConfig{
		Sessions: s.sessions, Destination: c.AfterLogout, Binding: s.page.binding(), Timeout: c.Timeout, Logger: c.Logger,
	})
	found.take(err, serviceField)
	if c.SessionsPath != "" {
		s.people, err = NewSessionsPage(SessionsPageConfig{
			Sessions: s.sessions, Path: c.SessionsPath, SignIn: page.NewLinkURL, Destination: c.AfterLogout, Describe: c.DescribeSession,
			App: page.App, Logo: page.Logo, Colors: page.Colors, DarkColors: page.DarkColors, Language: page.Language,
			Binding: s.page.binding(), Timeout: c.Timeout, Logger: c.Logger,
		})
		found.take(err, sessionsPageField)
	}
	if c.Clients != nil {
		s.makeAPI(found, c)
	}
}

// makeAPI makes the handlers for programs.
func (s *Service) makeAPI(found *faults, c ServiceConfig) {
	issuer, audience := c.names(s.redeemer.BaseURL())
	var err error
	s.token, err = NewTokenHandler(TokenConfig{
		Keys: c.Config.Keys, Clients: c.Clients, Issuer: issuer, Audience: audience, Resources: c.Resources,
		Businesses: c.Config.Businesses, MaxLifetime: c.MaxTokenLifetime, ClientAddress: c.ClientAddress, Timeout: c.Timeout, Now: c.Config.Now, Logger: c.Logger,
	})
	found.take(err, serviceField)
	bearer, err := NewBearerAuthenticator(BearerConfig{
		Keys: c.Config.Keys, Issuer: issuer, Audience: audience, Leeway: c.Config.Leeway, Now: c.Config.Now,
	})
	if found.take(err, serviceField) {
		return
	}
	s.issue, err = NewIssueHandler(IssueConfig{Issuer: s.issuer, Authenticator: bearer, Timeout: c.Timeout, Logger: c.Logger})
	found.take(err, serviceField)
	s.links, err = NewLinksHandler(LinksConfig{Issuer: s.issuer, Authenticator: bearer, Timeout: c.Timeout, Logger: c.Logger})
	found.take(err, serviceField)
	s.live, err = NewSessionsHandler(SessionsConfig{
		Issuer: s.issuer, Sessions: s.sessions, Authenticator: bearer, Timeout: c.Timeout, Now: c.Config.Now, Logger: c.Logger,
	})
	found.take(err, serviceField)
	s.limits, err = NewLimitsHandler(LimitsConfig{Issuer: s.issuer, Authenticator: bearer, Timeout: c.Timeout, Logger: c.Logger})
	found.take(err, serviceField)
}

// names returns the iss and the aud of access tokens.
func (c *ServiceConfig) names(baseURL string) (issuer, audience string) {
	issuer, audience = c.Config.Issuer, c.Config.Audience
	origin := originOf(baseURL)
	if issuer == "" {
		issuer = origin
	}
	if audience == "" {
		audience = origin
	}
	return issuer, audience
}

// The functions below name a field of a part as it is called in ServiceConfig.

func coreField(field string) string { return "Config." + field }

func pageField(field string) string {
	switch field {
	case "App", "NewLinkURL", "Timeout":
		return field
	}
	return "Page." + field
}

func sessionsPageField(field string) string {
	switch field {
	case "Path":
		return "SessionsPath"
	case "SignIn":
		return "NewLinkURL"
	case "Destination":
		return "AfterLogout"
	}
	return pageField(field)
}

func serviceField(field string) string {
	switch field {
	case "Destination":
		return "AfterLogout"
	case "MaxLifetime":
		return "MaxTokenLifetime"
	case "Keys", "Issuer", "Audience", "Businesses", "Leeway":
		return "Config." + field
	}
	return field
}
