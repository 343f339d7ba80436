package httpadapter

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/magiclink-go/magiclink"
)

type sessionKey struct{}

// RequireOptions are the options of [RequireSession]. The zero value answers 401 where there is no session.
type RequireOptions struct {
	// Optional lets requests through that have no session, too: for a page that shows who is signed in, if anybody is.
	Optional bool

	// SignIn is where a person without a session can sign in: a local path or an https URL, such as "/sign-in". GET and HEAD
	// are redirected there by 303, with the parameter "next": the local path and the query of the request. The parameter is
	// left out where [magiclink.ValidLocalPath] refuses the value, and where the value holds a link or an access token. The
	// application must check next with ValidLocalPath again before it redirects to it. A SignIn that is neither a local path
	// nor an https URL is logged once and not used. Other methods are answered by Otherwise. A local path begins at the root of the
	// host, also behind [http.StripPrefix].
	SignIn string

	// Otherwise answers requests without a session. Nil means 401 as JSON.
	Otherwise http.Handler

	Timeout time.Duration // how long the store may take: see Timeouts in the package documentation; zero and less mean 5 s
	Logger  *slog.Logger  // takes the causes of 503 answers; nil means slog.Default
}

// RequireSession makes a middleware that lets only requests through that have a session: in the cookie [SessionCookie], or
// with the session token as a bearer token. A bearer token goes before a cookie. The handler behind the middleware gets the
// session from [SessionFromRequest], and the events of what it does with the context of the request name the session as their
// actor: see [magiclink.WithActor].
//
//	mux.Handle("/reports", httpadapter.RequireSession(sessions, httpadapter.RequireOptions{SignIn: "/sign-in"})(reports))
//
// When the store fails, nobody knows whether the session lasts: the answer is 503 with Retry-After, also with Optional.
// Sessions that NewSessions has not made are answered like that, too.
//
// A request with an unsafe method that the cookie alone authenticates is refused with 403 if it comes from another origin
// than that of the BaseURL; a sibling host of the same site is another origin. An application whose GET requests change
// something has no such protection.
func RequireSession(sessions *magiclink.Sessions, options RequireOptions) func(http.Handler) http.Handler {
	g := newGuard(sessions, options)
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { g.serve(w, r, next) })
	}
}

// SessionFromRequest returns the session that [RequireSession] has found. It reports false where there is none: behind
// RequireSession with Optional, and for a request that has not passed RequireSession.
func SessionFromRequest(r *http.Request) (session magiclink.Session, ok bool) {
	session, ok = r.Context().Value(sessionKey{}).(magiclink.Session)
	return session, ok
}

// guard is RequireSession with its options filled in.
type guard struct {
	sessions  *magiclink.Sessions
	origin    string
	optional  bool
	signIn    *url.URL // nil: none
	otherwise http.Handler
	endpoint
}

func newGuard(sessions *magiclink.Sessions, options RequireOptions) *guard {
	g := &guard{
		sessions: sessions, origin: originOf(sessions.BaseURL()), optional: options.Optional, otherwise: options.Otherwise,
		endpoint: newEndpoint(new(faults), 0, max(0, options.Timeout), "", options.Logger),
	}
	if g.otherwise == nil {
		g.otherwise = http.HandlerFunc(g.unauthorized)
	}
	if options.SignIn == "" {
		return g
	}
	if address, err := url.Parse(options.SignIn); err == nil && isLinkTarget(options.SignIn) {
		g.signIn = address
	} else {
		g.logger.Error("magiclink: RequireSession does not use SignIn: it must be a local path or an https URL")
	}
	return g
}

func (g *guard) serve(w http.ResponseWriter, r *http.Request, next http.Handler) {
	w.Header().Add("Vary", "Cookie")
	found, fault := g.find(r)
	switch {
	case fault != nil:
		g.refuse(w, r, fault)
	case found.session.ID != "" && found.byCookie && !isSafe(r.Method) && !sameOrigin(r, g.origin):
		g.refuse(w, r, crossOrigin())
	case found.session.ID != "":
		ctx := asSession(context.WithValue(r.Context(), sessionKey{}, found.session), found.session)
		next.ServeHTTP(w, r.WithContext(ctx))
	case g.optional:
		next.ServeHTTP(w, r)
	case g.signIn != nil && (r.Method == http.MethodGet || r.Method == http.MethodHead):
		g.redirect(w, r)
	default:
		g.otherwise.ServeHTTP(w, r)
	}
}

// find bounds the time of the store. A panic in the store is an outage.
func (g *guard) find(r *http.Request) (found foundSession, fault *problem) {
	ctx, cancel := g.deadline(r)
	defer cancel()
	defer contain(func() { found, fault = foundSession{}, unavailable(errPanic) })
	found, err := findSession(ctx, g.sessions, r)
	if err != nil {
		return foundSession{}, unavailable(err)
	}
	return found, nil
}

func (g *guard) unauthorized(w http.ResponseWriter, r *http.Request) {
	g.refuse(w, r, &problem{status: http.StatusUnauthorized, code: "there is no session", challenge: g.bearer("")})
}

func crossOrigin() *problem {
	return &problem{status: http.StatusForbidden, code: "the request comes from a page of another origin"}
}

// redirect sends a person to the page where they can sign in.
func (g *guard) redirect(w http.ResponseWriter, r *http.Request) {
	header := w.Header()
	header.Set("Cache-Control", "no-store")
	header.Set("Referrer-Policy", "no-referrer")
	header.Set("Location", withNext(*g.signIn, nextPath(r)))
	w.WriteHeader(http.StatusSeeOther)
}

// withNext returns an address with the parameter "next", unless next is empty.
func withNext(address url.URL, next string) string {
	if next != "" {
		query := "next=" + url.QueryEscape(next)
		if address.RawQuery != "" {
			query = address.RawQuery + "&" + query
		}
		address.RawQuery = query
	}
	return address.String()
}

// nextPath returns the local path and the query of a request, or "" where they cannot be passed on: because a browser could
// read them as an address of another site, or because they hold a credential. It is what the client has sent, also behind
// [http.StripPrefix].
func nextPath(r *http.Request) string {
	next := r.RequestURI
	if !strings.HasPrefix(next, "/") {
		next = r.URL.RequestURI()
	}
	if !magiclink.ValidLocalPath(next) || magiclink.TokenOf(next) != "" || inQuery(r.URL.RawQuery, "access_token") {
		return ""
	}
	return next
}

// foundSession is the session of a request. It is zero if there is none.
type foundSession struct {
	session  magiclink.Session
	byCookie bool // the cookie alone authenticates the request
}

// findSession looks for a session token sent as a bearer token, and then in the cookie. An error says that nobody knows
// whether there is a session.
func findSession(ctx context.Context, sessions *magiclink.Sessions, r *http.Request) (foundSession, error) {
	if token, err := bearerToken(r); err == nil {
		session, err := verifySession(ctx, sessions, token)
		if err != nil || session.ID != "" {
			return foundSession{session: session}, err
		}
	}
	session, err := cookieSession(ctx, sessions, r)
	return foundSession{session: session, byCookie: true}, err
}

func cookieSession(ctx context.Context, sessions *magiclink.Sessions, r *http.Request) (magiclink.Session, error) {
	token, _ := cookiesOf(sessions.BaseURL()).value(r, SessionCookie)
	return verifySession(ctx, sessions, token)
}

// verifySession returns the zero Session for a token that is not that of a session which lasts.
func verifySession(ctx context.Context, sessions *magiclink.Sessions, token string) (magiclink.Session, error) {
	session, err := sessions.Verify(ctx, token)
	if errors.Is(err, magiclink.ErrInvalidToken) {
		return magiclink.Session{}, nil
	}
	return session, err
}
