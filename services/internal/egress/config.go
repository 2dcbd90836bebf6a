package egress

import (
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strconv"
	"strings"
	"time"
)

const (
	defaultTimeout = 10 * time.Second
	defaultMaxBody = 64 << 10
	maxHeader      = 64 << 10
)

// ErrAllow is wrapped by the error for an entry of the list of what is allowed that is none.
var ErrAllow = errors.New("is neither a network such as 10.0.0.0/8, nor an address, nor a host or host:port")

// Config says what may be reached. The zero value works.
type Config struct {
	// Allow lists what may be reached although it is not public: networks, addresses, and hosts by name, with a port
	// or without.
	Allow []string
	// Timeout bounds a call from dialing to the end of the answer; 0: 10 s.
	Timeout time.Duration
	// MaxBody is how many bytes of an answer are read; 0: 64 KiB.
	MaxBody int64
	// RootCAs are the authorities that servers are trusted by; nil: those of the machine.
	RootCAs *x509.CertPool
}

// Validate reports what is wrong.
func (c Config) Validate() error {
	_, err := c.allowed()

	return err
}

// allowed is the parsed list.
type allowed struct {
	networks []netip.Prefix
	hosts    map[string]bool // lower case, as they were dialed; host or host:port
}

func (c Config) allowed() (allowed, error) {
	list := allowed{hosts: map[string]bool{}}

	for _, entry := range c.Allow {
		if network, err := netip.ParsePrefix(entry); err == nil {
			list.networks = append(list.networks, network.Masked())
		} else if address, err := netip.ParseAddr(strings.Trim(entry, "[]")); err == nil {
			list.networks = append(list.networks, netip.PrefixFrom(address.Unmap(), address.Unmap().BitLen()))
		} else if host, ok := hostOf(entry); ok {
			list.hosts[host] = true
		} else {
			return allowed{}, fmt.Errorf("allow: %q %w", entry, ErrAllow)
		}
	}

	return list, nil
}

// hostOf returns a host, or host and port, as it is compared.
func hostOf(entry string) (string, bool) {
	host := entry

	if name, port, err := net.SplitHostPort(entry); err == nil {
		if _, err := strconv.ParseUint(port, 10, 16); err != nil {
			return "", false
		}

		host = name
	}

	if host == "" || strings.ContainsAny(host, "/:*@ ") {
		return "", false
	}

	return strings.ToLower(strings.TrimSuffix(entry, ".")), true
}
