package httpadapter

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"time"

	"github.com/magiclink-go/magiclink"
)

// LogoutPath is the usual path of [LogoutHandler].
const LogoutPath = "/logout"

// LogoutConfig configures a [LogoutHandler].
type LogoutConfig struct {
	Sessions *magiclink.Sessions // ends the sessions. Required

	// Destination is the local path to which the browser is redirected. Empty means "/".
	Destination string

	// Binding forgets the sign-in flow of the session that ends, where a flow has begun it: a *signin.Flow. Optional.
	Binding Binding

	Timeout time.Duration // how long the store may take: see Timeouts in the package documentation; zero means 5 s
	Logger  *slog.Logger  // takes the causes of 503 answers; nil means slog.Default
}

// LogoutHandler answers POST /logout: it ends the session of the request for every copy of its token, removes the cookie,
// and redirects by 303. The answer asks the browser to forget the pages that it has kept (Clear-Site-Data: "cache"), so
// that Back shows none of them. A request without a session is answered in the same way. It is safe for concurrent use. The
// zero value answers 503.
//
// The session is that of the bearer token and that of the cookie; where they are two, both end. A request from a page of
// another origin than that of the BaseURL ends nothing and is answered with 403, unless a bearer token authenticates it:
// then only the session of that token ends. When the store fails, the answer is 503 and the cookie stays, since the session
// lasts. Where the sessions were made without a Store, the cookie is removed and the token lasts until it expires.
//
// A form is enough to sign out:
//
//	<form method="post" action="/logout"><button>Sign out</button></form>
//
// A page with the Referrer-Policy no-referrer hides its Origin as "null", and its form cannot sign out: use strict-origin
// there.
type LogoutHandler struct {
	sessions    *magiclink.Sessions
	origin      string
	destination string
	binding     Binding // nil: none
	endpoint
}

// NewLogoutHandler reports every fault of the configuration at once, as [magiclink.ConfigErrors].
func NewLogoutHandler(config LogoutConfig) (*LogoutHandler, error) {
	var found faults
	checkVerifies(&found, config.Sessions)
	if config.Destination == "" {
		config.Destination = "/"
	}
	if !magiclink.ValidLocalPath(config.Destination) {
		found.add("Destination", `must be a local path such as "/"`)
	}
	checkBindingValue(&found, config.Binding)
	shared := newEndpoint(&found, 0, config.Timeout, "", config.Logger)
	if err := found.err(); err != nil {
		return nil, err
	}
	return &LogoutHandler{
		sessions: config.Sessions, origin: originOf(config.Sessions.BaseURL()), destination: config.Destination,
		binding: config.Binding, endpoint: shared,
	}, nil
}

// ServeHTTP implements [http.Handler].
func (h *LogoutHandler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if h == nil || h.sessions == nil {
		uninitialized(w, r, "LogoutHandler")
		return
	}
	h.serve(w, r, func() *problem {
		ctx, cancel := h.deadline(r)
		defer cancel()
		byCookie, fault := h.end(ctx, r)
		if fault != nil {
			return fault
		}
		if sameOrigin(r, h.origin) {
			ClearSessionCookie(w, h.sessions)
			forget(h.binding, w, r, byCookie)
		}
		header := w.Header()
		header.Set("Cache-Control", "no-store")
		header.Set("Clear-Site-Data", `"cache"`)
		header.Set("Location", h.destination)
		w.WriteHeader(http.StatusSeeOther)
		return nil
	})
}

// end ends every session of the request, and returns that of the cookie. After an error a session may last.
func (h *LogoutHandler) end(ctx context.Context, r *http.Request) (byCookie magiclink.Session, _ *problem) {
	var sessions []magiclink.Session
	if token, err := bearerToken(r); err == nil {
		session, err := verifySession(ctx, h.sessions, token)
		if err != nil {
			return byCookie, unavailable(err)
		}
		sessions = append(sessions, session)
	}
	byBearer := len(sessions) == 1 && sessions[0].ID != ""
	switch {
	case sameOrigin(r, h.origin):
		session, err := cookieSession(ctx, h.sessions, r)
		if err != nil {
			return byCookie, unavailable(err)
		}
		byCookie = session
		sessions = append(sessions, session)
	case !byBearer:
		return byCookie, crossOrigin()
	}
	for _, session := range sessions {
		if session.ID == "" {
			continue
		}
		if err := h.sessions.End(asSession(ctx, session), session); err != nil && !errors.Is(err, magiclink.ErrNoStore) {
			return byCookie, unavailable(err)
		}
	}
	return byCookie, nil
}
