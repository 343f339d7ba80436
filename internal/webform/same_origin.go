package webform

import (
	"net/http"
	"net/url"
	"strings"
)

// OriginOf returns scheme, host and port of a BaseURL, as a browser writes them in the Origin header (RFC 6454 section 6.2).
func OriginOf(baseURL string) string {
	u, err := url.Parse(baseURL)
	if err != nil {
		return ""
	}
	host := u.Host
	if u.Scheme == "https" {
		host = strings.TrimSuffix(host, ":443")
	} else {
		host = strings.TrimSuffix(host, ":80")
	}
	return u.Scheme + "://" + host
}

// SameOrigin reports whether a request may come from a page of this origin. It ignores the Host header, which a proxy may
// rewrite. An Origin header decides alone. Without an Origin header Sec-Fetch-Site decides. A request with neither header
// comes from a program or from a very old browser, and counts as the same origin.
func SameOrigin(r *http.Request, origin string) bool {
	if given := r.Header.Values("Origin"); len(given) > 0 {
		return len(given) == 1 && given[0] == origin
	}
	site := r.Header.Get("Sec-Fetch-Site")
	return site == "" || site == "same-origin" || site == "none"
}

// IsSafe reports whether the method changes nothing (RFC 9110 section 9.2.1).
func IsSafe(method string) bool {
	return method == http.MethodGet || method == http.MethodHead || method == http.MethodOptions || method == http.MethodTrace
}
