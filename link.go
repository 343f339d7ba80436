package magiclink

import (
	"errors"
	"net/netip"
	"net/url"
	"strings"
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
	case u.Hostname() == "" || u.Opaque != "":
		return route{}, errors.New("must name a host")
	case u.Scheme == "http" && !loopback(u.Hostname()):
		return route{}, errors.New("must begin with https://; http:// is for loopback hosts alone")
	case u.User != nil:
		return route{}, errors.New("must not carry a user name or a password")
	case strings.ContainsAny(base, "?#"):
		return route{}, errors.New("must not have a query or a fragment")
	}
	path := strings.TrimSuffix(u.EscapedPath(), "/")
	if path != "" && !localPath(path) {
		return route{}, errors.New("has a path with an empty or a dot segment, or with an encoded separator")
	}
	origin := u.Scheme + "://" + strings.ToLower(u.Host)
	return route{url: origin + path, origin: origin}, nil
}

func loopback(host string) bool {
	if strings.EqualFold(host, "localhost") {
		return true
	}
	ip, err := netip.ParseAddr(host)
	return err == nil && ip.IsLoopback()
}

// link builds the link to a local path, which keeps its own query and fragment.
func (r route) link(path, token string) string {
	const parameter = "token="
	path, fragment, hasFragment := strings.Cut(path, "#")
	separator := "?"
	if at := strings.IndexByte(path, '?'); at >= 0 {
		separator = "&"
		if last := path[len(path)-1]; last == '?' || last == '&' {
			separator = ""
		}
	}
	var b strings.Builder
	b.Grow(len(r.url) + len(path) + len(parameter) + len(token) + len(fragment) + 2)
	b.WriteString(r.url)
	b.WriteString(path)
	b.WriteString(separator)
	b.WriteString(parameter)
	b.WriteString(token)
	if hasFragment {
		b.WriteByte('#')
		b.WriteString(fragment)
	}
	return b.String()
}
