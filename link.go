package magiclink

import (
	"errors"
	"net/netip"
	"net/url"
	"strconv"
	"strings"
	"sync"

	"github.com/magiclink-go/magiclink/internal/jose"
)

// route is the magic link route: where links lead to. It comes from the configuration and never from a request.
type route struct {
	url    string // without a slash at the end
	origin string // scheme://host[:port]
}

// parseRoute accepts an https URL, and an http URL whose host is this machine.
func parseRoute(base string) (route, error) {
	if base == "" {
		return route{}, errors.New(`is required, for example "https://app.example.com/magic"`)
	}
	u, err := url.Parse(base)
	if err != nil || !visibleASCII(base) {
		return route{}, errors.New("is not a URL")
	}
	switch {
	case u.Scheme != "https" && u.Scheme != "http":
		return route{}, errors.New("must begin with https://")
	case !validHost(u):
		return route{}, errors.New("must name a host by its ASCII name or its address, and may name a port")
	case u.Scheme == "http" && !loopback(u.Hostname()):
		return route{}, errors.New("must begin with https://; http:// is for loopback hosts alone")
	case u.User != nil:
		return route{}, errors.New("must not carry a user name or a password")
	case strings.ContainsAny(base, "?#"):
		return route{}, errors.New("must not have a query or a fragment")
	}
	path := strings.TrimSuffix(u.EscapedPath(), "/")
	if path != "" && (!localPath(path) || strings.HasSuffix(path, "/")) {
		return route{}, errors.New("has a path with an empty or a dot segment, or with an encoded separator")
	}
	origin := u.Scheme + "://" + strings.ToLower(u.Host)
	return route{url: origin + path, origin: origin}, nil
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
		return ip.Zone() == ""
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

func loopback(host string) bool {
	if strings.EqualFold(host, "localhost") {
		return true
	}
	ip, err := netip.ParseAddr(host)
	return err == nil && ip.IsLoopback()
}

// linkParts are what a link is made in, kept from one link to the next.
type linkParts struct{ claims, link []byte }

var linkPool = sync.Pool{New: func() any { return new(linkParts) }}

// link makes the link to a record, with its token. A local path keeps its own query and fragment.
func (i *Issuer) link(record *Record) (string, error) {
	parts := linkPool.Get().(*linkParts)
	defer linkPool.Put(parts)
	path, fragment := cutFragment(record.Path)
	buf := i.route.appendTo(parts.link[:0], path)
	parts.claims = i.tokens.appendClaims(parts.claims[:0], record)
	buf, err := i.tokens.keys.appendSigned(buf, jose.Link, parts.claims)
	if err != nil {
		return "", err
	}
	buf = append(buf, fragment...)
	link := string(buf)
	clear(buf) // it is a credential, and is not to lie about
	parts.link = buf
	return link, nil
}

// cutFragment returns the fragment with its "#", or "" if the path has none.
func cutFragment(path string) (rest, fragment string) {
	at := strings.IndexByte(path, '#')
	if at < 0 {
		return path, ""
	}
	return path[:at], path[at:]
}

// appendTo appends the link to a path without a fragment, up to its token.
func (r route) appendTo(buf []byte, path string) []byte {
	buf = append(append(buf, r.url...), path...)
	switch last := len(path) - 1; {
	case strings.IndexByte(path, '?') < 0:
		buf = append(buf, '?')
	case path[last] != '?' && path[last] != '&':
		buf = append(buf, '&')
	}
	return append(buf, "token="...)
}
