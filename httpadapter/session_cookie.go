package httpadapter

import (
	"net/http"
	"time"

	"github.com/magiclink-go/magiclink"
	"github.com/magiclink-go/magiclink/internal/webform"
)

// SessionCookie is the name of the session cookie where the BaseURL begins with https://. The prefix makes browsers refuse a cookie of
// this name from other hosts, from plain HTTP and for part of a site (RFC 6265bis section 4.1.3).
const SessionCookie = "__Host-magiclink_session"

// cookieNamer makes the cookies for one BaseURL.
type cookieNamer struct{ webform.Cookies }

func cookiesOf(baseURL string) cookieNamer { return cookieNamer{webform.CookiesOf(baseURL)} }

func (c cookieNamer) make(name, value string, age int) *http.Cookie { return c.Make(name, value, age) }

func (c cookieNamer) value(r *http.Request, name string) (string, bool) { return c.Value(r, name) }

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
