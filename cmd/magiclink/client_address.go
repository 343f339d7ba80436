package main

import (
	"flag"
	"net/http"
	"net/netip"
	"strings"
)

// proxiesFlag are the proxies whose X-Forwarded-For is believed.
type proxiesFlag struct{ list listFlag }

func (f *proxiesFlag) declare(set *flag.FlagSet) {
	set.Var(&f.list, "trusted-proxy", "believe the X-Forwarded-For header of a proxy in this `network`, as 10.0.0.0/8; give it several times for several. "+
		"Other headers, Forwarded among them, are never believed (default: nobody is believed, and the address of the connection counts)")
}

// networks returns the networks. An address stands for itself alone.
func (f *proxiesFlag) networks() ([]netip.Prefix, error) {
	networks := make([]netip.Prefix, 0, len(f.list.values))
	for _, text := range f.list.values {
		network, err := netip.ParsePrefix(text)
		if ip, fault := netip.ParseAddr(text); fault == nil {
			network, err = netip.PrefixFrom(ip.Unmap(), ip.Unmap().BitLen()), nil
		}
		if err != nil {
			return nil, usagef("-trusted-proxy %s is not a network: write it as 10.0.0.0/8 or 192.0.2.7", plain(text))
		}
		networks = append(networks, network.Masked())
	}
	return networks, nil
}

// followProxies puts the client's address in place of the proxy's, so that everything behind it, the log too, sees one address.
func followProxies(trusted []netip.Prefix, next http.Handler) http.Handler {
	if len(trusted) == 0 {
		return next
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if client, behind := forwardedFor(r, trusted); behind {
			r = r.WithContext(r.Context()) // a copy
			r.RemoteAddr = netip.AddrPortFrom(client, 0).String()
		}
		next.ServeHTTP(w, r)
	})
}

// forwardedFor reads X-Forwarded-For from the right, where the nearest proxy has written, and returns the first address that is not a
// trusted proxy's. What stands left of it anybody can have written. It reports false where the header says nothing that can be believed: then
// the address of the connection counts.
func forwardedFor(r *http.Request, trusted []netip.Prefix) (client netip.Addr, behind bool) {
	if !isTrusted(connectedFrom(r), trusted) {
		return client, false
	}
	hops := strings.Split(strings.Join(r.Header.Values("X-Forwarded-For"), ","), ",")
	for n := len(hops) - 1; n >= 0; n-- {
		hop, ok := parseHop(strings.TrimSpace(hops[n]))
		if !ok {
			return client, false
		}
		if client = hop; !isTrusted(hop, trusted) {
			break
		}
	}
	return client, true
}

// parseHop takes an address, and also one with a port, as some proxies write it.
func parseHop(text string) (netip.Addr, bool) {
	ip, err := netip.ParseAddr(text)
	if err != nil {
		at, fault := netip.ParseAddrPort(text)
		ip, err = at.Addr(), fault
	}
	return ip.Unmap().WithZone(""), err == nil
}

// connectedFrom is the address of the connection, or of the client that a trusted proxy has named.
func connectedFrom(r *http.Request) netip.Addr {
	at, err := netip.ParseAddrPort(r.RemoteAddr)
	if err != nil {
		return netip.Addr{}
	}
	return at.Addr().Unmap().WithZone("")
}

func isTrusted(ip netip.Addr, trusted []netip.Prefix) bool {
	for _, network := range trusted {
		if network.Contains(ip) {
			return true
		}
	}
	return false
}

// network is what counts as one client: an IPv4 address, or the 64 bits of an IPv6 address that one customer has.
func network(ip netip.Addr) string {
	if ip.Is6() {
		return netip.PrefixFrom(ip, 64).Masked().String()
	}
	return ip.String()
}

// remoteName is the client in the log: without the port where a proxy has named the client.
func remoteName(r *http.Request) string {
	if at, err := netip.ParseAddrPort(r.RemoteAddr); err == nil && at.Port() == 0 {
		return at.Addr().String()
	}
	return r.RemoteAddr
}
