package egress

import "net/netip"

// global is all of IPv6 that is handed out for the public internet.
//
//nolint:gochecknoglobals // a constant
var global = netip.MustParsePrefix("2000::/3")

// nat64 holds addresses of IPv4 in their last four bytes, for machines without IPv4.
//
//nolint:gochecknoglobals // a constant
var nat64 = netip.MustParsePrefix("64:ff9b::/96")

// special are the networks within the public ones that are not public, as IANA lists them.
//
//nolint:gochecknoglobals // a constant
var special = []netip.Prefix{
	netip.MustParsePrefix("0.0.0.0/8"),        // this host
	netip.MustParsePrefix("10.0.0.0/8"),       // private
	netip.MustParsePrefix("100.64.0.0/10"),    // carriers' own; a cloud's metadata
	netip.MustParsePrefix("127.0.0.0/8"),      // loopback
	netip.MustParsePrefix("168.63.129.16/32"), // a cloud's metadata
	netip.MustParsePrefix("169.254.0.0/16"),   // link-local; most clouds' metadata
	netip.MustParsePrefix("172.16.0.0/12"),    // private
	netip.MustParsePrefix("192.0.0.0/24"),     // protocols; a cloud's metadata
	netip.MustParsePrefix("192.0.2.0/24"),     // documentation
	netip.MustParsePrefix("192.88.99.0/24"),   // relays of 6to4
	netip.MustParsePrefix("192.168.0.0/16"),   // private
	netip.MustParsePrefix("198.18.0.0/15"),    // benchmarks
	netip.MustParsePrefix("198.51.100.0/24"),  // documentation
	netip.MustParsePrefix("203.0.113.0/24"),   // documentation
	netip.MustParsePrefix("224.0.0.0/4"),      // multicast
	netip.MustParsePrefix("240.0.0.0/4"),      // reserved, broadcast
	netip.MustParsePrefix("2001::/23"),        // protocols, Teredo
	netip.MustParsePrefix("2001:db8::/32"),    // documentation
	netip.MustParsePrefix("2002::/16"),        // 6to4: holds an address of IPv4
	netip.MustParsePrefix("3fff::/20"),        // documentation
}

// Public tells whether an address is one of the public internet. One that holds an address of IPv4 is what that is.
func Public(address netip.Addr) bool {
	address = address.WithZone("").Unmap()

	if nat64.Contains(address) {
		bytes := address.As16()

		return Public(netip.AddrFrom4([4]byte(bytes[12:])))
	}

	if !address.IsValid() || address.Is6() && !global.Contains(address) {
		return false
	}

	for _, network := range special {
		if network.Contains(address) {
			return false
		}
	}

	return true
}
