package sender

import (
	"fmt"
	"net"
	"net/mail"
	"net/netip"
	"strconv"
	"strings"
	"time"
)

// How mail is encrypted on its way to the server.
const (
	tlsStart    = "starttls"
	tlsImplicit = "implicit"
	tlsNone     = "none"
)

// ownerAddress stands for the address of who is to deal with an alert.
const ownerAddress = "@owner"

// Validate implements Settings.
func (e *Email) Validate() Problems {
	var problems Problems

	e.checkServer(&problems)
	checkCredentials(e.Username, e.Password, &problems)

	if e.From == "" {
		problems.addf("from", CodeMissing, "is missing")
	} else if _, err := parseAddress(e.From); err != nil {
		problems.addf("from", CodeAddress, "is not an address of email")
	}

	switch {
	case len(e.To) == 0:
		problems.addf("to", CodeMissing, "is missing")
	case len(e.To) > maxList:
		problems.addf("to", CodeTooLarge, "has more than %d entries", maxList)
	}

	for i, to := range e.To {
		if _, err := parseAddress(to); err != nil && to != ownerAddress {
			problems.addf(item("to", i), CodeAddress, "is neither an address of email nor %s", ownerAddress)
		}
	}

	for _, owner := range sortedKeys(e.Owners) {
		if _, err := parseAddress(e.Owners[owner]); err != nil {
			problems.addf("owners["+owner+"]", CodeAddress, "is not an address of email")
		}
	}

	e.checkTemplates(&problems)

	return problems
}

func (e *Email) checkServer(problems *Problems) {
	host, port, err := net.SplitHostPort(e.Server)
	number, portErr := strconv.ParseUint(port, 10, 16)

	switch {
	case e.Server == "":
		problems.addf("server", CodeMissing, "is missing")
	case err != nil, portErr != nil, number == 0, host == "", strings.ContainsAny(host, "/@ \r\n"):
		problems.addf("server", CodeAddress, "is not host:port")
	}

	switch e.TLS {
	case "", tlsStart, tlsImplicit:
	case tlsNone:
		if !loopback(host) {
			problems.addf("tls", CodeInsecure, "may be none only for a server on this machine")
		}
	default:
		problems.addf("tls", CodeChoice, "is not %s, %s or %s", tlsStart, tlsImplicit, tlsNone)
	}
}

// loopback tells whether a host is this machine, by what it is called alone.
func loopback(host string) bool {
	address, err := netip.ParseAddr(host)

	return host == "localhost" || err == nil && address.Unmap().IsLoopback()
}

// parseAddress reads one address, with or without a name.
func parseAddress(text string) (*mail.Address, error) {
	if strings.ContainsAny(text, "\r\n") {
		return nil, &Error{Permanent: true, Reason: "an address of email has line breaks"}
	}

	address, err := mail.ParseAddress(text)
	if err != nil {
		return nil, fmt.Errorf("reading an address of email: %w", err)
	}

	return address, nil
}

// render implements Settings.
func (e *Email) render(n *Notification, _ time.Time) ([]Payload, error) {
	to, err := e.recipients(n)
	if err != nil {
		return nil, err
	}

	payloads := make([]Payload, 0, len(to))

	for _, address := range to {
		body, err := e.message(n, address)
		if err != nil {
			return nil, err
		}

		payloads = append(payloads, Payload{To: address.Address, ContentType: "message/rfc822", Body: body, part: address.Address})
	}

	return payloads, nil
}

// recipients are those who get a mail, each once.
func (e *Email) recipients(n *Notification) ([]*mail.Address, error) {
	var (
		to      []*mail.Address
		unknown []string
		seen    = map[string]bool{}
	)

	add := func(address *mail.Address) {
		if key := strings.ToLower(address.Address); !seen[key] {
			seen[key] = true
			to = append(to, address)
		}
	}

	for _, entry := range e.To {
		if entry != ownerAddress {
			if address, err := parseAddress(entry); err == nil {
				add(address)
			}

			continue
		}

		for _, owner := range owners(n) {
			if address := e.ownerOf(owner); address != nil {
				add(address)
			} else {
				unknown = append(unknown, strconv.Quote(owner))
			}
		}
	}

	switch {
	case len(to) > 0:
		return to, nil
	case len(unknown) > 0:
		return nil, permanent("no address is known for the owner %s", strings.Join(unknown, ", "))
	default:
		return nil, permanent("nobody owns the account, and nobody else is to get mail")
	}
}

// ownerOf is the address of an owner; nil: there is none.
func (e *Email) ownerOf(owner string) *mail.Address {
	if address, ok := e.Owners[owner]; ok {
		owner = address
	}

	address, err := parseAddress(owner)
	if err != nil {
		return nil
	}

	return address
}

// owners are those who are to deal with what a notification tells, the first first.
func owners(n *Notification) []string {
	var list []string

	add := func(owner string) {
		if owner != "" {
			list = append(list, owner)
		}
	}

	if n.Digest != nil {
		add(n.Digest.Owner)
	}

	for _, t := range n.Alerts {
		add(fallback(t.GetAlert().GetSubject().GetOwner(), t.GetAlert().GetAssignee()))
	}

	return list
}
