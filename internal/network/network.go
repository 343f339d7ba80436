// Package network says which networks count as one client where something is limited for each client.
package network

import "net/netip"

// Network is a network that has its own limit.
type Network struct {
	Name  string // such as "2001:db8::/48"; empty if the address of the client is not known
	Times int    // how many times the limit of one client it has
}

type scale struct{ bits, times int }

// A customer of IPv6 has a /64, a /56 or a /48, so the limit of a /64 alone bounds nobody who has a /48. More people share the wide networks, so these have
// more. Of IPv4 one address is dear enough.
var (
	scales4 = []scale{{32, 1}}
	scales6 = []scale{{64, 1}, {56, 4}, {48, 8}}
)

// Of returns the networks of a client, the smallest first. There is at least one. Count the smallest first: what it refuses uses up nothing of the
// others.
func Of(address netip.Addr) []Network {
	address = address.Unmap().WithZone("")
	scales := scales6
	switch {
	case !address.IsValid():
		return []Network{{Times: 1}}
	case address.Is4():
		scales = scales4
	}
	networks := make([]Network, 0, len(scales))
	for _, s := range scales {
		networks = append(networks, Network{netip.PrefixFrom(address, s.bits).Masked().String(), s.times})
	}
	return networks
}

// Wide names the widest network that one customer commonly has: a /48 of IPv6, or a /24 of IPv4, the smallest that is announced on the internet.
func Wide(address netip.Addr) string {
	address = address.Unmap().WithZone("")
	bits := 48
	switch {
	case !address.IsValid():
		return ""
	case address.Is4():
		bits = 24
	}
	return netip.PrefixFrom(address, bits).Masked().String()
}

// OfConnection returns the address of the other end of a connection, from [net/http.Request.RemoteAddr]. It is not valid for a connection that has none,
// as over a Unix socket.
func OfConnection(remote string) netip.Addr {
	at, _ := netip.ParseAddrPort(remote)
	return at.Addr()
}
