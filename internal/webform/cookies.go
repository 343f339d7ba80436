package webform

import (
	"net/http"
	"net/url"
	"strings"
)

const hostPrefix = "__Host-"

// Cookies makes and reads the cookies for one BaseURL. Where that is http://, which is for loopback hosts alone, names have no
// prefix and cookies are not Secure: WebKit keeps neither there. Names end in the port there: a browser sends a cookie to all
// ports of its host (RFC 6265 section 8.5), and two applications on one machine must not replace each other's.
type Cookies struct {
	plain bool
	port  string // "_8080" for http://127.0.0.1:8080, and "" for port 80
}

// CookiesOf returns the Cookies for a BaseURL.
func CookiesOf(baseURL string) Cookies {
	u, err := url.Parse(OriginOf(baseURL))
	if err != nil || u.Scheme != "http" {
		return Cookies{}
	}
	c := Cookies{plain: true}
	if port := u.Port(); port != "" {
		c.port = "_" + port
	}
	return c
}

// Named returns the name of the cookie that is called name over https. The prefix __Host- makes browsers refuse a cookie of this
// name from other hosts, from plain HTTP and for part of a site (RFC 6265bis section 4.1.3).
func (c Cookies) Named(name string) string {
	if c.plain {
		return strings.TrimPrefix(name, hostPrefix) + c.port
	}
	return name
}

// Make makes a cookie as the prefix of its name demands. An age of 0 makes it last as long as the browser is open, and a
// negative age removes it.
func (c Cookies) Make(name, value string, age int) *http.Cookie {
	return &http.Cookie{ //nolint:gosec // G124: not Secure only where BaseURL is http://, which is for loopback hosts
		Name: c.Named(name), Value: value, Path: "/", MaxAge: age,
		Secure: !c.plain, HttpOnly: true, SameSite: http.SameSiteLaxMode,
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
