package httpadapter

import (
	"net/http"
	"strings"
	"time"

	"github.com/magiclink-go/magiclink"
)

// The names of the cookies where the BaseURL begins with https://. The prefix makes browsers refuse a cookie of this name
// from other hosts, from plain HTTP and for part of a site (RFC 6265bis section 4.1.3).
const (
	SessionCookie = "__Host-magiclink_session"
	formCookie    = "__Host-magiclink_form"
)

const hostPrefix = "__Host-"

// cookieNamer makes the cookies for one BaseURL. Where that is http://, which is for loopback hosts alone, names have no
// prefix and cookies are not Secure: WebKit keeps neither there.
type cookieNamer struct{ plain bool }

func cookiesOf(baseURL string) cookieNamer {
	return cookieNamer{plain: strings.HasPrefix(baseURL, "http://")}
}

// named returns the name of the cookie that is called name over https.
func (c cookieNamer) named(name string) string {
	if c.plain {
		return strings.TrimPrefix(name, hostPrefix)
	}
	return name
}

// make makes a cookie as the prefix of its name demands. An age of 0 makes it last as long as the browser is open, and a
// negative age removes it.
func (c cookieNamer) make(name, value string, age int) *http.Cookie {
	return &http.Cookie{ //nolint:gosec // G124: not Secure only where BaseURL is http://, which is for loopback hosts
		Name: c.named(name), Value: value, Path: "/", MaxAge: age,
		Secure: !c.plain, HttpOnly: true, SameSite: http.SameSiteLaxMode,
	}
}

// value returns the value of the cookie. Two cookies of one name count as none: another host may have set one of them.
func (c cookieNamer) value(r *http.Request, name string) (string, bool) {
	found := r.CookiesNamed(c.named(name))
	if len(found) != 1 {
		return "", false
	}
	return found[0].Value, true
}

// maxCookie is how long name and value of a cookie may be together, for browsers to keep it (RFC 6265bis section 5.7).
const maxCookie = 4096

// SetSessionCookie puts the token of a session into the session cookie of the answer, for as long as the session lasts. It is
// for an application that calls [magiclink.Sessions.Grant] itself. It returns [magiclink.ErrTokenTooLong] for a token that
// no browser would keep, and sets nothing then.
//
// The cookie is called [SessionCookie]; with a BaseURL of http:// it is called magiclink_session.
func SetSessionCookie(w http.ResponseWriter, sessions *magiclink.Sessions, token string, session magiclink.Session) error {
	if len(SessionCookie)+len(token) > maxCookie {
		return magiclink.ErrTokenTooLong
	}
	age := int(session.ExpiresAt.Sub(session.CreatedAt) / time.Second)
	http.SetCookie(w, cookiesOf(sessions.BaseURL()).make(SessionCookie, token, age))
	return nil
}

// ClearSessionCookie removes the session cookie from the browser. The session itself lasts: see [magiclink.Sessions.End].
func ClearSessionCookie(w http.ResponseWriter, sessions *magiclink.Sessions) {
	http.SetCookie(w, cookiesOf(sessions.BaseURL()).make(SessionCookie, "", -1))
}
