package main

import (
	"flag"
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"strings"
)

// address is where serve listens and what the links begin with.
type address struct {
	addr    string
	baseURL string
}

func (a *address) declare(set *flag.FlagSet) {
	set.StringVar(&a.addr, "addr", "127.0.0.1:8080", "the `address` that serve listens on")
	set.StringVar(&a.baseURL, "base-url", "", "the `URL` that links begin with (default http://ADDR/magic)")
}

// resolve fills in the base URL from the address that is really listened on.
func (a *address) resolve(listening string) error {
	if a.baseURL != "" {
		return nil
	}
	host, _, err := net.SplitHostPort(listening)
	if err != nil {
		return usagef("-addr must be host:port: %w", err)
	}
	ip, err := netip.ParseAddr(host)
	if host != "localhost" && (err != nil || !ip.IsLoopback()) {
		return fmt.Errorf("-addr %s listens beyond this machine: say with -base-url https://… how others reach it", listening)
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

// path is that of the magic link route, without a slash at its end.
func (a *address) path() string {
	u, err := url.Parse(a.baseURL)
	if err != nil {
		return ""
	}
	return strings.TrimSuffix(u.EscapedPath(), "/")
}
