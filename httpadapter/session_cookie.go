package httpadapter

import (
	"net/http"
	"strings"
	"time"

	"github.com/magiclink-go/magiclink"
)

// SessionCookie is the name of the cookie that holds the session token. Its prefix makes browsers refuse it from other
// hosts, from plain HTTP and for part of a site (RFC 6265bis section 4.1.3).
const SessionCookie = "__Host-magiclink_session"

// hostCookie makes a cookie that its name's prefix demands. An age of 0 makes it last as long as the browser is open, and
// a negative one removes it.
func hostCookie(name, value string, age int) *http.Cookie {
	return &http.Cookie{
		Name: name, Value: value, Path: "/", MaxAge: age, Secure: true, HttpOnly: true, SameSite: http.SameSiteLaxMode,
	}
}

// maxCookie is how long name and value of a cookie may be together, for browsers to keep it (RFC 6265bis section 5.7).
const maxCookie = 4096

// startSession grants a session and puts it into the cookie.
func startSession(w http.ResponseWriter, sessions *magiclink.Sessions, redeemed magiclink.Redemption) error {
	token, session, err := sessions.Grant(redeemed)
	if err != nil {
		return err
	}
	if len(SessionCookie)+len(token) > maxCookie {
		return magiclink.ErrTokenTooLong
	}
	age := int(session.ExpiresAt.Sub(session.CreatedAt) / time.Second)
	http.SetCookie(w, hostCookie(SessionCookie, token, age))
	return nil
}

// EndSession removes the session cookie from the browser. The token itself lasts until it expires: see
// [magiclink.Sessions].
func EndSession(w http.ResponseWriter) { http.SetCookie(w, hostCookie(SessionCookie, "", -1)) }

// findSession looks for a session in the cookie, and then for a session token sent as a bearer token. Two cookies of the
// name are none: one of them may be somebody else's.
func findSession(sessions *magiclink.Sessions, r *http.Request) (magiclink.Session, bool) {
	if cookies := r.CookiesNamed(SessionCookie); len(cookies) == 1 {
		if session, err := sessions.Verify(cookies[0].Value); err == nil {
			return session, true
		}
	}
	token, err := bearerToken(r)
	if err != nil {
		return magiclink.Session{}, false
	}
	session, err := sessions.Verify(token)
	return session, err == nil
}

// activeAccount names the account of the session that a browser has already.
func activeAccount(sessions *magiclink.Sessions, r *http.Request) string {
	session, ok := findSession(sessions, r)
	switch {
	case !ok:
		return ""
	case session.Email != "":
		return maskEmail(session.Email)
	case session.ExternalBusinessID != "":
		return session.ExternalBusinessID
	}
	return session.BusinessID
}

// maskEmail shows enough of an address for its owner to know it: j•••@example.com.
func maskEmail(address string) string {
	local, domain, ok := strings.Cut(address, "@")
	if !ok {
		return ""
	}
	if len(local) > 1 {
		return local[:1] + "•••@" + domain
	}
	return "•••@" + domain
}
