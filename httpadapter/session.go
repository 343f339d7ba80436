package httpadapter

import (
	"context"
	"net/http"
	"time"

	"github.com/magiclink-go/magiclink"
)

// SessionPath is the usual path of [SessionInfo].
const SessionPath = "/session"

type sessionKey struct{}

// RequireSession lets only requests through that have a session, by the cookie [SessionCookie] or with the session token as
// a bearer token, and gives the rest to otherwise; nil means an answer of 401 as JSON. The handler behind it finds the
// session with [SessionFromContext].
//
// The cookie is SameSite=Lax, so a foreign site's POST comes without it. An application whose GET requests change
// anything should guard them with [http.CrossOriginProtection] or, better, not do so.
func RequireSession(sessions *magiclink.Sessions, otherwise http.Handler, next http.Handler) http.Handler {
	if otherwise == nil {
		otherwise = http.HandlerFunc(noSession)
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		session, ok := findSession(sessions, r)
		if !ok {
			otherwise.ServeHTTP(w, r)
			return
		}
		next.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), sessionKey{}, session)))
	})
}

// SessionFromContext returns the session that [RequireSession] has found.
func SessionFromContext(ctx context.Context) (session magiclink.Session, ok bool) {
	session, ok = ctx.Value(sessionKey{}).(magiclink.Session)
	return session, ok
}

func noSession(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("WWW-Authenticate", `Bearer realm="`+defaultRealm+`"`)
	writeJSON(w, http.StatusUnauthorized, envelope{Error: "there is no session"})
}

type sessionData struct {
	BusinessID         *string `json:"business_id"`
	ExternalBusinessID *string `json:"external_business_id"`
	Email              *string `json:"email"`
	MagicLinkID        string  `json:"magic_link_id"`
	ExpiresAt          string  `json:"expires_at"`
}

// SessionInfo answers GET with the current session as JSON, and with 401 where there is none.
func SessionInfo(sessions *magiclink.Sessions) http.Handler {
	return readOnly(RequireSession(sessions, nil, http.HandlerFunc(showSession)))
}

func showSession(w http.ResponseWriter, r *http.Request) {
	session, _ := SessionFromContext(r.Context()) // RequireSession has put it there
	writeJSON(w, http.StatusOK, success{Data: sessionData{
		BusinessID: orNull(session.BusinessID), ExternalBusinessID: orNull(session.ExternalBusinessID),
		Email: orNull(session.Email), MagicLinkID: session.MagicLinkID,
		ExpiresAt: session.ExpiresAt.Format(time.RFC3339),
	}})
}

// orNull makes null of what there is not.
func orNull(text string) *string {
	if text == "" {
		return nil
	}
	return &text
}
