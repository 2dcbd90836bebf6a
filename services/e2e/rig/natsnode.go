package rig

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"hale.dev/services/internal/quietaddr"
)

// NATSNode is one nats-server of a fleet's cluster.
type NATSNode struct {
	*Process

	// Addr is for clients, Monitor answers /healthz; others reach both and the routes over links.
	Addr, Monitor string
	// Store is the folder of the node's streams.
	Store string
	// Disk that Store is on, if it can be filled; else nil.
	Disk   *Disk
	routes string
}

// newNATSNodes lays out the nodes of a cluster. Each route is a link.
func newNATSNodes(dir string, programs Programs, network *Network, disks []*Disk) ([]*NATSNode, error) {
	nodes := make([]*NATSNode, len(disks))
	for i := range nodes {
		n := &NATSNode{Disk: disks[i]}
		name := fmt.Sprintf("nats-%d", i+1)
		n.Process = &Process{Name: name, Path: programs.NATS, Dir: dir, Args: []string{"-c", filepath.Join(dir, name+".conf")}}
		n.Store = filepath.Join(dir, name)
		if n.Disk != nil {
			n.Store = filepath.Join(n.Disk.Dir(), name)
		}
		if err := quietaddr.Fill(&n.Addr, &n.Monitor, &n.routes); err != nil {
			return nil, err
		}
		nodes[i] = n
	}
	for _, n := range nodes {
		var routes []string
		for _, other := range nodes {
			if other == n {
				continue
			}
			link, err := network.Link(n.Name, other.Name, other.routes)
			if err != nil {
				return nil, err
			}
			routes = append(routes, "nats-route://"+link.Addr())
		}
		if err := n.configure(routes); err != nil {
			return nil, err
		}
	}
	return nodes, nil
}

// configure writes the node's settings. Routes are the configured ones only: the address that nodes tell each other
// leads nowhere, else they would find ways around a link that is cut.
func (n *NATSNode) configure(routes []string) error {
	nowhere, err := quietaddr.New()
	if err != nil {
		return err
	}
	text := fmt.Sprintf(`server_name: %q
listen: %q
http: %q
max_payload: 8MB
jetstream {
  store_dir: %q
  sync_interval: always
  # The streams' caps are promises, also on a small disk.
  max_file_store: 64GB
}
cluster {
  name: hale
  listen: %q
  cluster_advertise: %q
  no_advertise: true
  routes: [%s]
}
`, n.Name, n.Addr, n.Monitor, n.Store, n.routes, nowhere, `"`+strings.Join(routes, `", "`)+`"`)
	if err := os.WriteFile(n.Args[1], []byte(text), 0o600); err != nil {
		return fmt.Errorf("writing the settings of %s: %w", n.Name, err)
	}
	return nil
}

// Healthy returns nil when the node says that all of its streams have caught up.
func (n *NATSNode) Healthy(ctx context.Context) error {
	if !n.Running() {
		return fmt.Errorf("%s does not run", n.Name)
	}
	return get(ctx, "http://"+n.Monitor+"/healthz")
}

// Wipe removes all that the node has stored; it must not run.
func (n *NATSNode) Wipe() error {
	if err := os.RemoveAll(n.Store); err != nil {
		return fmt.Errorf("wiping %s: %w", n.Name, err)
	}
	return nil
}
