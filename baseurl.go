package magiclink

import (
	"errors"
	"net/netip"
	"net/url"
	"strconv"
	"strings"
)

// baseURL is the magic link route: where links lead. It comes from the configuration and never from a request.
type baseURL struct {
	url    string // without a slash at the end
	origin string // scheme://host[:port], as browsers write it in the Origin header
}

// parseBaseURL accepts an https URL, and an http URL whose host is this machine.
func parseBaseURL(base string) (baseURL, error) {
	if base == "" {
		return baseURL{}, errors.New(`is required, for example "https://app.example.com/magic"`)
	}
	u, err := url.Parse(base)
	if err != nil || !visibleASCII(base) {
		return baseURL{}, errors.New("is not a URL")
	}
	switch {
	case u.Scheme != "https" && u.Scheme != "http":
		return baseURL{}, errors.New("must begin with https://")
	case !validHost(u):
		return baseURL{}, errors.New("must name a host by its ASCII name or its address, and may name a port")
	case u.Scheme == "http" && !loopback(u.Hostname()):
		return baseURL{}, errors.New("must begin with https://; http:// is for loopback hosts alone")
	case u.User != nil:
		return baseURL{}, errors.New("must not carry a user name or a password")
	case strings.ContainsAny(base, "?#"):
		return baseURL{}, errors.New("must not have a query or a fragment")
	}
	path := strings.TrimSuffix(u.EscapedPath(), "/")
	if path != "" && (!localPath(path) || strings.HasSuffix(path, "/")) {
		return baseURL{}, errors.New("has a path with an empty or a dot segment, or with an encoded separator")
	}
	origin := u.Scheme + "://" + browserHost(u)
	return baseURL{url: origin + path, origin: origin}, nil
}

// validHost is an allow-list: what browsers and net/url could read differently is refused.
func validHost(u *url.URL) bool {
	host := u.Hostname()
	if u.Opaque != "" || host == "" || u.Host != joinHost(u) {
		return false
	}
	if port, err := strconv.Atoi(u.Port()); u.Port() != "" && (err != nil || port < 1 || port > 65535) {
		return false
	}
	if ip, err := netip.ParseAddr(host); err == nil {
		return ip.Zone() == "" && !ip.Is4In6()
	}
	return hostName(host) && !endsInNumber(host)
}

// joinHost writes host and port as they should have been written.
func joinHost(u *url.URL) string {
	host := u.Hostname()
	if strings.Contains(host, ":") {
		host = "[" + host + "]"
	}
	if u.Port() != "" {
		host += ":" + u.Port()
	}
	return host
}

// browserHost writes host and port as browsers do (WHATWG URL, section 3.5): in lower case, an IPv6 address in its shortest
// form, and no port that is the scheme's own.
func browserHost(u *url.URL) string {
	host := strings.ToLower(u.Hostname())
	if ip, err := netip.ParseAddr(host); err == nil && ip.Is6() {
		host = "[" + ip.String() + "]"
	}
	port, _ := strconv.Atoi(u.Port()) // validHost has checked it
	if port == 0 || port == map[string]int{"https": 443, "http": 80}[u.Scheme] {
		return host
	}
	return host + ":" + strconv.Itoa(port)
}

func loopback(host string) bool {
	if strings.EqualFold(host, "localhost") {
		return true
	}
	ip, err := netip.ParseAddr(host)
	return err == nil && ip.IsLoopback()
}
