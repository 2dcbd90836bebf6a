package sender

import "time"

// Payload is one thing that is sent.
type Payload struct {
	// To is where it goes: an address, or the reference of the secret that holds it.
	To string
	// ContentType is what Body is.
	ContentType string
	// Body is what is sent.
	Body []byte

	// part tells it from the others of a notification.
	part string
}

// Preview returns what would be sent for a notification made just now, and sends nothing. Secrets stand in it as
// references.
func Preview(settings Settings, n *Notification) ([]Payload, error) {
	if problems := settings.Validate(); len(problems) > 0 {
		return nil, problems
	}

	now := n.Sent
	if now.IsZero() {
		now = time.Unix(0, 0).UTC()
	}

	return settings.render(n, now)
}
