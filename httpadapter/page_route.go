package httpadapter

import (
	"net/http"
	"net/url"
	"path"
	"strings"

	"github.com/magiclink-go/magiclink"
)

// formMark is the query of the form's address where links begin at the root. It tells the page's own form from the forms
// that the application posts to "/".
const formMark = "magiclink"

// pageRoute is what a page knows of its BaseURL. It comes from the configuration and never from a request.
type pageRoute struct {
	baseURL string // without a slash at its end
	path    string // the decoded path of baseURL, without a slash at its end; empty at the root
	host    string // with the port
	origin  string // as browsers write it
	home    string // the path "/" on the origin
	action  string // what the form is posted to: absolute, so that a page opened at another host is told so
	cookies cookieNamer
}

func newPageRoute(baseURL string) pageRoute {
	u, err := url.Parse(baseURL)
	if err != nil { // NewRedeemer has parsed it already
		u = new(url.URL)
	}
	route := pageRoute{
		baseURL: baseURL, path: u.Path, host: u.Host, origin: originOf(baseURL), action: baseURL, cookies: cookiesOf(baseURL),
	}
	route.home = u.Scheme + "://" + u.Host + "/"
	if route.path == "" {
		route.action = route.home + "?" + formMark
	}
	return route
}

// link returns the address of a link by its token, or "" for a text that is no token.
func (b pageRoute) link(token string) string {
	if token == "" || magiclink.TokenOf(token) != token {
		return ""
	}
	return b.baseURL + "?token=" + token
}

// linkToken returns the token of the link that was opened, or "". It forgives what mail programs and proxies do to links: see
// [magiclink.TokenOf]. What they add is often percent-encoded by the browser, so the decoded address is read first.
func linkToken(u *url.URL) string {
	address := u.EscapedPath() + "?" + u.RawQuery
	if decoded, err := url.PathUnescape(address); err == nil {
		if token := magiclink.TokenOf(decoded); token != "" {
			return token
		}
	}
	return magiclink.TokenOf(address)
}

// Matches reports whether a request is for the page, so that a program can ask before its own routes:
//
//	if page.Matches(r) {
//		page.ServeHTTP(w, r)
//		return
//	}
//	mux.ServeHTTP(w, r)
//
// [http.ServeMux] alone redirects an address such as "//magic/reports?token=…", and repeats the token in an answer without
// the page's headers; and it does not find "/magic%3Ftoken=…". Both match.
//
// All requests at and below the path of the BaseURL match. Where the BaseURL has no path, only addresses with a token of a
// link match, and what the page's form posts: every other "?token=" belongs to the application. Nothing matches a Page that
// NewPage has not made.
func (p *Page) Matches(r *http.Request) bool {
	if p == nil || p.config.Redeemer == nil {
		return false
	}
	if p.route.path != "" {
		return p.route.contains(r.URL.Path)
	}
	if r.Method == http.MethodPost {
		return r.URL.RawQuery == formMark && path.Clean("/"+r.URL.Path) == "/"
	}
	return linkToken(r.URL) != ""
}

// contains reports whether a decoded path is the route's or below it. Behind the route a "?" may stand that somebody has
// percent-encoded, once or twice.
func (b pageRoute) contains(requested string) bool {
	rest, found := strings.CutPrefix(path.Clean("/"+requested), b.path)
	if !found || rest == "" {
		return found
	}
	return rest[0] == '/' || rest[0] == '?' || len(rest) >= 3 && strings.EqualFold(rest[:3], "%3F")
}
