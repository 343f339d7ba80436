package webform

import (
	"net/http"
	"strings"
)

const hostPrefix = "__Host-"

// Cookies makes and reads the cookies for one BaseURL. Where that is http://, which is for loopback hosts alone, names have no
// prefix and cookies are not Secure: WebKit keeps neither there.
type Cookies struct{ Plain bool }

// CookiesOf returns the Cookies for a BaseURL.
func CookiesOf(baseURL string) Cookies {
	return Cookies{Plain: strings.HasPrefix(baseURL, "http://")}
}

// Named returns the name of the cookie that is called name over https. The prefix __Host- makes browsers refuse a cookie of this
// name from other hosts, from plain HTTP and for part of a site (RFC 6265bis section 4.1.3).
func (c Cookies) Named(name string) string {
	if c.Plain {
		return strings.TrimPrefix(name, hostPrefix)
	}
	return name
}

// Make makes a cookie as the prefix of its name demands. An age of 0 makes it last as long as the browser is open, and a
// negative age removes it.
func (c Cookies) Make(name, value string, age int) *http.Cookie {
	return &http.Cookie{ //nolint:gosec // G124: not Secure only where BaseURL is http://, which is for loopback hosts
		Name: c.Named(name), Value: value, Path: "/", MaxAge: age,
		Secure: !c.Plain, HttpOnly: true, SameSite: http.SameSiteLaxMode,
	}
}

// Value returns the value of the cookie. Two cookies of one name count as none: another host may have set one of them.
func (c Cookies) Value(r *http.Request, name string) (string, bool) {
	found := r.CookiesNamed(c.Named(name))
	if len(found) != 1 {
		return "", false
	}
	return found[0].Value, true
}
