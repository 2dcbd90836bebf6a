package rule

import (
	"bytes"
	_ "embed"
	"fmt"
	"sync"

	"github.com/zeebo/xxh3"
)

//go:embed shipped.yaml
var shippedDocument []byte

// ShippedDocument is the document that holds where a workspace has none of its own.
func ShippedDocument() []byte { return bytes.Clone(shippedDocument) }

// ShippedDigest tells shipped documents apart, for people and logs.
func ShippedDigest() string { return fmt.Sprintf("%08x", uint32(xxh3.Hash(shippedDocument))) } //nolint:gosec // half is enough

// Shipped is the compiled shipped document, version 0. It is parsed once.
func Shipped() *Set { return shipped() }

//nolint:gochecknoglobals // a constant, compiled when first needed
var shipped = sync.OnceValue(func() *Set {
	set, err := Parse(shippedDocument)
	if err != nil { // never: a test holds the document
		panic(fmt.Errorf("parsing the shipped rules: %w", err))
	}
	return set
})
