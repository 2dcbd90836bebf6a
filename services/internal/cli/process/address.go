package process

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"syscall"
)

// AddressFile is the file, in the data folder, where a run writes its addresses.
const AddressFile = "run.json"

// Addresses is where the services of a run listen, with the real ports.
type Addresses struct {
	// PID of the process.
	PID int `json:"pid"`
	// IngestHTTP is the URL of the ingest service; empty: it does not listen there.
	IngestHTTP string `json:"ingest_http,omitempty"`
	// IngestGRPC is host:port.
	IngestGRPC string `json:"ingest_grpc,omitempty"`
	// QueryGRPC is host:port, with https:// before it where it speaks TLS.
	QueryGRPC string `json:"query_grpc,omitempty"`
	// QueryHTTP is a URL.
	QueryHTTP string `json:"query_http,omitempty"`
	// Admin is host:port.
	Admin string `json:"admin,omitempty"`
}

// ReadAddresses reads what the run on a data folder wrote. Its error wraps fs.ErrNotExist when
// there is none.
func ReadAddresses(data string) (Addresses, error) {
	var a Addresses

	name := filepath.Join(data, AddressFile)

	text, err := os.ReadFile(name) //nolint:gosec // the user names the folder
	if err != nil {
		return a, fmt.Errorf("reading the addresses of the run: %w", err)
	}

	if err := json.Unmarshal(text, &a); err != nil {
		return Addresses{}, fmt.Errorf("reading %s: %w", name, err)
	}

	return a, nil
}

// write writes the file whole, so that a reader never sees half of it.
func (a Addresses) write(data string) error {
	text, err := json.MarshalIndent(a, "", "  ")
	if err != nil {
		return fmt.Errorf("encoding the addresses: %w", err)
	}

	name := filepath.Join(data, AddressFile)
	draft := name + ".new"

	if err := os.WriteFile(draft, append(text, '\n'), fileMode); err != nil {
		return fmt.Errorf("writing the addresses: %w", err)
	}

	if err := os.Rename(draft, name); err != nil {
		return fmt.Errorf("writing the addresses: %w", err)
	}

	return nil
}

// remove removes the file, if it is this process's own.
func (a Addresses) remove(data string) error {
	if found, err := ReadAddresses(data); err != nil || found.PID != a.PID {
		return nil //nolint:nilerr // somebody else's, or gone already
	}

	if err := os.Remove(filepath.Join(data, AddressFile)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("removing the addresses: %w", err)
	}

	return nil
}

// listen opens a listener, and says which flag moves it elsewhere.
func listen(address, flag string) (net.Listener, error) {
	ln, err := net.Listen("tcp", address) //nolint:noctx // binding does not wait
	if errors.Is(err, syscall.EADDRINUSE) {
		return nil, fmt.Errorf("%s is taken by another process: choose another address with --%s", address, flag)
	}

	if err != nil {
		return nil, fmt.Errorf("listening for --%s: %w", flag, err)
	}

	return ln, nil
}
