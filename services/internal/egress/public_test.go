package egress_test

import (
	"net/netip"
	"testing"

	"github.com/stretchr/testify/require"

	"hale.dev/services/internal/egress"
)

func TestPublic(t *testing.T) {
	t.Parallel()

	for class, addresses := range map[string][]string{
		"loopback is not public":        {"127.0.0.1", "127.255.255.254", "::1"},
		"this host is not public":       {"0.0.0.0", "0.1.2.3", "::"},
		"private is not public":         {"10.0.0.1", "172.16.0.1", "172.31.255.255", "192.168.1.1", "fc00::1", "fd12:3456::1"},
		"link-local is not public":      {"169.254.1.1", "fe80::1", "fe80::1%eth0", "fec0::1"},
		"metadata of clouds is not":     {"169.254.169.254", "fd00:ec2::254", "100.100.100.200", "168.63.129.16", "192.0.0.192"},
		"carriers' own is not public":   {"100.64.0.1", "100.127.255.255"},
		"multicast is not public":       {"224.0.0.1", "239.255.255.255", "ff02::1", "ff0e::1"},
		"reserved is not public":        {"240.0.0.1", "255.255.255.255", "198.18.0.1", "198.19.255.255"},
		"documentation is not public":   {"192.0.2.1", "198.51.100.1", "203.0.113.1", "2001:db8::1", "3fff::1"},
		"IPv4-mapped is what it maps":   {"::ffff:127.0.0.1", "::ffff:10.0.0.1", "::ffff:169.254.169.254"},
		"IPv4-compatible is not public": {"::127.0.0.1", "::8.8.8.8"},
		"NAT64 is what it embeds":       {"64:ff9b::7f00:1", "64:ff9b::a9fe:a9fe", "64:ff9b::10.0.0.1"},
		"local NAT64 is not public":     {"64:ff9b:1::1", "64:ff9b:1::8.8.8.8"},
		"6to4 and Teredo are not":       {"2002:7f00:1::1", "2002:808:808::1", "2001::1", "192.88.99.1"},
		"segment routing is not public": {"5f00::1"},
	} {
		t.Run(class, func(t *testing.T) {
			t.Parallel()

			for _, address := range addresses {
				require.False(t, egress.Public(netip.MustParseAddr(address)), address)
			}
		})
	}

	t.Run("what everybody can reach is public", func(t *testing.T) {
		t.Parallel()

		for _, address := range []string{
			"8.8.8.8", "1.1.1.1", "172.15.255.255", "172.32.0.1", "100.63.255.255", "100.128.0.0", "169.253.255.255",
			"223.255.255.255", "2606:4700::1111", "2a00:1450::1", "::ffff:8.8.8.8", "64:ff9b::8.8.8.8",
		} {
			require.True(t, egress.Public(netip.MustParseAddr(address)), address)
		}
	})

	t.Run("no address is not public", func(t *testing.T) {
		t.Parallel()
		require.False(t, egress.Public(netip.Addr{}))
	})
}
