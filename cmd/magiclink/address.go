package main

import (
	"flag"
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"strconv"
	"strings"
)

const defaultAddr = "127.0.0.1:8080"

// address is where serve listens and what the links begin with.
type address struct {
	addr    string
	baseURL string
}

func (a *address) declare(set *flag.FlagSet) {
	set.StringVar(&a.addr, "addr", defaultAddr, "the `address` that serve listens on")
	set.StringVar(&a.baseURL, "base-url", "", "the `URL` that links begin with (default http://ADDR/magic)")
}

// check finds an address that cannot be listened on, and says how to write it.
func (a *address) check() error {
	_, port, err := net.SplitHostPort(a.addr)
	_, portFault := strconv.ParseUint(port, 10, 16)
	switch {
	case err == nil && portFault == nil:
		return nil
	case err == nil:
		return usagef("-addr %s has no port from 0 to 65535: write -addr %s", a.addr, defaultAddr)
	case isPort(a.addr):
		return usagef("-addr %s has no host: write -addr 127.0.0.1:%s", a.addr, a.addr)
	case strings.Contains(a.addr, "://"):
		return usagef("-addr %s is a URL: write -addr %s, and the URL behind -base-url", a.addr, defaultAddr)
	case strings.Count(a.addr, ":") == 0 && a.addr != "":
		return usagef("-addr %s has no port: write -addr %s:8080", a.addr, a.addr)
	}
	return usagef("-addr %s is not host:port: write -addr %s", a.addr, bracketed(a.addr))
}

// bracketed returns how an IPv6 address is written with a port, and the default for anything else.
func bracketed(addr string) string {
	_, port, _ := net.SplitHostPort(defaultAddr)
	host := strings.Trim(addr, "[]")
	if i := strings.LastIndex(addr, ":"); i > 0 && isPort(addr[i+1:]) && isIP(addr[:i]) {
		host, port = addr[:i], addr[i+1:]
	}
	if !isIP(host) {
		return defaultAddr
	}
	return net.JoinHostPort(host, port)
}

func isIP(text string) bool {
	_, err := netip.ParseAddr(text)
	return err == nil
}

func isPort(text string) bool {
	_, err := strconv.ParseUint(text, 10, 16)
	return err == nil
}

// resolve fills in the base URL from the address that serve listens on, and writes the base URL as the links have it.
func (a *address) resolve(listening string) error {
	defer func() { a.baseURL = withoutDefaultPort(a.baseURL) }()
	if a.baseURL != "" {
		return nil
	}
	host, _, err := net.SplitHostPort(listening)
	if err != nil {
		return a.check()
	}
	ip, err := netip.ParseAddr(host)
	if host != "localhost" && (err != nil || !ip.IsLoopback()) {
		return usagef("-addr %s is open to other machines: say with -base-url https://HOST/magic how they reach it", listening)
	}
	a.baseURL = "http://" + listening + "/magic"
	return nil
}

// origin is what tokens name as their issuer and audience: the scheme and host of the base URL.
func (a *address) origin() string {
	u, err := url.Parse(a.baseURL)
	if err != nil {
		return a.baseURL // magiclink.New reports it
	}
	return u.Scheme + "://" + u.Host
}

// isAt reports whether the links lead to this origin.
func (a *address) isAt(origin string) bool {
	u, err := url.Parse(origin)
	base, baseErr := url.Parse(a.baseURL)
	return err == nil && baseErr == nil && sameHost(u, base)
}

// owns returns an error for a link that begins with another base URL. A bare token has none, and is left to the redeemer.
func (a *address) owns(link string) error {
	u, err := url.Parse(strings.TrimSpace(link))
	base, baseErr := url.Parse(a.baseURL)
	if err != nil || baseErr != nil || u.Host == "" {
		return nil
	}
	path := strings.TrimSuffix(base.EscapedPath(), "/")
	rest, below := strings.CutPrefix(u.EscapedPath(), path)
	if below && (rest == "" || rest[0] == '/' || rest[0] == '%') && sameHost(u, base) {
		return nil
	}
	return fmt.Errorf("the link belongs to another base URL: it begins with %s://%s%s, and this base URL is %s; "+
		"give the -addr or -base-url that issued the link", u.Scheme, u.Host, firstSegment(u), a.baseURL)
}

func sameHost(a, b *url.URL) bool {
	return strings.EqualFold(a.Scheme, b.Scheme) && strings.EqualFold(withPort(a), withPort(b))
}

func withPort(u *url.URL) string {
	if u.Port() != "" {
		return u.Host
	}
	return u.Host + defaultPort(u)
}

// withoutDefaultPort leaves out the port that is the scheme's own, as browsers and the library do.
func withoutDefaultPort(base string) string {
	u, err := url.Parse(base)
	if err != nil || u.Port() == "" || ":"+u.Port() != defaultPort(u) {
		return base // the library reports what is no URL
	}
	u.Host = strings.TrimSuffix(u.Host, defaultPort(u))
	return u.String()
}

func defaultPort(u *url.URL) string {
	return map[string]string{"http": ":80", "https": ":443"}[strings.ToLower(u.Scheme)]
}

// firstSegment shows no more of a link's path than its first segment, and none of it where a mangled token may stand in it.
func firstSegment(u *url.URL) string {
	segment, _, _ := strings.Cut(strings.TrimPrefix(u.EscapedPath(), "/"), "/")
	if segment == "" || strings.Contains(segment, "%") || strings.Contains(segment, "token") || len(segment) > 64 {
		return ""
	}
	return "/" + segment
}
