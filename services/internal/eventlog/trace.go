package eventlog

import (
	"strings"

	"github.com/nats-io/nats.go"
	"go.opentelemetry.io/otel/propagation"
)

// Carrier lets W3C trace context travel in a message's headers. Reading ignores case, since NATS headers know
// case and other senders may write Traceparent.
type Carrier nats.Header

var _ propagation.TextMapCarrier = Carrier{}

// Get returns the first value of key, whatever its case.
func (c Carrier) Get(key string) string {
	if values := c[key]; len(values) > 0 {
		return values[0]
	}

	for name, values := range c {
		if len(values) > 0 && strings.EqualFold(name, key) {
			return values[0]
		}
	}

	return ""
}

// Set replaces the value of key, whatever its case.
func (c Carrier) Set(key, value string) {
	for name := range c {
		if name != key && strings.EqualFold(name, key) {
			delete(c, name)
		}
	}

	c[key] = []string{value}
}

// Keys lists the names of all headers.
func (c Carrier) Keys() []string {
	keys := make([]string, 0, len(c))
	for name := range c {
		keys = append(keys, name)
	}

	return keys
}
