package network_test

import (
	"net/netip"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/magiclink-go/magiclink/internal/network"
)

func TestOf(t *testing.T) {
	ipv4 := []network.Network{{"192.0.2.7/32", 1}}
	for text, want := range map[string][]network.Network{
		"192.0.2.7":                ipv4,
		"::ffff:192.0.2.7":         ipv4,
		"2001:db8:1:2345:6::7":     {{"2001:db8:1:2345::/64", 1}, {"2001:db8:1:2300::/56", 4}, {"2001:db8:1::/48", 8}},
		"2001:db8:1:2345:6::7%en0": {{"2001:db8:1:2345::/64", 1}, {"2001:db8:1:2300::/56", 4}, {"2001:db8:1::/48", 8}},
	} {
		require.Equal(t, want, network.Of(netip.MustParseAddr(text)), text)
	}
	require.Equal(t, []network.Network{{"", 1}}, network.Of(netip.Addr{}))
}

func TestWide(t *testing.T) {
	for text, want := range map[string]string{
		"192.0.2.7": "192.0.2.0/24", "::ffff:192.0.2.7": "192.0.2.0/24", "2001:db8:1:2345:6::7%en0": "2001:db8:1::/48",
	} {
		require.Equal(t, want, network.Wide(netip.MustParseAddr(text)), text)
	}
	require.Empty(t, network.Wide(netip.Addr{}))
}

func TestOfConnection(t *testing.T) {
	require.Equal(t, "192.0.2.7", network.OfConnection("192.0.2.7:1234").String())
	require.Equal(t, "2001:db8::7", network.OfConnection("[2001:db8::7]:0").String())
	require.False(t, network.OfConnection("@").IsValid(), "a Unix socket")
}
