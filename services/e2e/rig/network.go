package rig

import (
	"cmp"
	"fmt"
	"slices"
	"sync"

	"github.com/Shopify/toxiproxy/v2"
	"github.com/rs/zerolog"

	"hale.dev/services/internal/quietaddr"
)

// Network is made of the links between the parts of a fleet: one for each pair that talks, each a proxy of its own
// that can be cut and delayed.
type Network struct {
	server *toxiproxy.ApiServer
	// direct says that all talk to each other without a proxy between them.
	direct bool

	mu    sync.Mutex
	links map[linkKey]*Link
}

type linkKey struct{ from, to, upstream string }

// NewNetwork makes a network without links.
func NewNetwork() *Network {
	return &Network{
		server: toxiproxy.NewServer(toxiproxy.NewMetricsContainer(nil), zerolog.Nop()), links: map[linkKey]*Link{},
	}
}

// NewDirectNetwork makes a network whose links lead straight to the other part: they cost nothing, and cannot be cut.
func NewDirectNetwork() *Network { return &Network{direct: true} }

// Link returns the link from one part to another's address; the first call makes it.
func (n *Network) Link(from, to, upstream string) (*Link, error) {
	if n.direct {
		return &Link{From: from, To: to, addr: upstream, upstream: upstream}, nil
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	key := linkKey{from, to, upstream}
	if l := n.links[key]; l != nil {
		return l, nil
	}
	listen, err := quietaddr.New()
	if err != nil {
		return nil, err
	}
	proxy := toxiproxy.NewProxy(n.server, from+" to "+to, listen, upstream)
	l := &Link{From: from, To: to, addr: listen, upstream: upstream, proxy: proxy}
	if err := l.proxy.Start(); err != nil {
		return nil, fmt.Errorf("starting the link from %s to %s: %w", from, to, err)
	}
	n.links[key] = l
	return l, nil
}

// Between returns the links between two parts that exist by now, in both directions.
func (n *Network) Between(a, b string) []*Link {
	n.mu.Lock()
	defer n.mu.Unlock()
	var found []*Link
	for key, l := range n.links {
		if (key.from == a && key.to == b) || (key.from == b && key.to == a) {
			found = append(found, l)
		}
	}
	slices.SortFunc(found, func(x, y *Link) int {
		return cmp.Or(cmp.Compare(x.From, y.From), cmp.Compare(x.upstream, y.upstream))
	})
	return found
}

// Heal heals all links.
func (n *Network) Heal() error {
	n.mu.Lock()
	links := make([]*Link, 0, len(n.links))
	for _, l := range n.links {
		links = append(links, l)
	}
	n.mu.Unlock()
	for _, l := range links {
		if err := l.Heal(); err != nil {
			return err
		}
	}
	return nil
}

// Close ends all links.
func (n *Network) Close() {
	n.mu.Lock()
	defer n.mu.Unlock()
	for _, l := range n.links {
		l.proxy.Stop()
	}
	clear(n.links)
}
