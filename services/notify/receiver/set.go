package receiver

import (
	"slices"
	"time"

	alertv1 "hale.dev/proto/gen/hale/alert/v1"
	"hale.dev/services/internal/matcher"
	"hale.dev/services/notify/internal/sender"
)

// Set is a document. It is immutable.
type Set struct {
	// Version is the revision of the settings entry.
	Version uint64
	// Receivers in the order of the document.
	Receivers []*Receiver
	// Routes in the order of the document, the default route last, if there is one.
	Routes []*Route
	// Digests in the order of the document.
	Digests []*Digest
}

// Receiver is where notifications go.
type Receiver struct {
	// Name of the receiver, unique in its workspace.
	Name string
	// Settings of its kind.
	Settings sender.Settings
	// Events are the kinds of transitions that it is told of.
	Events []alertv1.Transition_Kind
	// Concurrency is how many notifications it is sent at the same time.
	Concurrency int
	// Rate is how many notifications it is sent a minute, in the long run.
	Rate int64
	// Timeout bounds one try.
	Timeout time.Duration
	// RetryFor is how long a notification is tried before it is a dead letter.
	RetryFor time.Duration
	// Resend is how often alerts that are active are sent again; 0: not.
	Resend time.Duration
}

// Wants tells whether the receiver is told of a kind of transition.
func (r *Receiver) Wants(kind alertv1.Transition_Kind) bool { return slices.Contains(r.Events, kind) }

// Single tells whether each alert is a notification of its own, because the kind groups by itself.
func (r *Receiver) Single() bool { return r.Settings.Kind() == sender.KindPagerDuty }

// Receiver returns the receiver of a name; nil: there is none.
func (s *Set) Receiver(name string) *Receiver {
	if s == nil {
		return nil
	}

	for _, r := range s.Receivers {
		if r.Name == name {
			return r
		}
	}

	return nil
}

// Route says where alerts go.
type Route struct {
	// Default says that it is taken only if no other is.
	Default bool
	// Matchers that an alert has to match, all of them; none: every alert.
	Matchers []matcher.Matcher
	// Receivers by name.
	Receivers []string
	// Continue says that routes below it are looked at too.
	Continue bool
	// GroupBy are the fields whose values make alerts one group.
	GroupBy []string
	// GroupWait is how long a group gathers before its first notification, CriticalWait the same for critical alerts.
	GroupWait, CriticalWait time.Duration
	// GroupInterval is the least time between notifications of a group.
	GroupInterval time.Duration
	// Quiet hours; nil: none.
	Quiet *Quiet
}

// RouteTo returns a route that leads to a receiver, for alerts that went there by one they do not match any more.
func (s *Set) RouteTo(name string) *Route {
	for _, r := range s.Routes {
		if slices.Contains(r.Receivers, name) {
			return r
		}
	}

	return &Route{}
}

// Choice is a receiver with the route that leads to it.
type Choice struct {
	Receiver *Receiver
	Route    *Route
}

// Choose returns where an alert goes, each receiver once, by the first route that leads to it. The default route is
// taken if no other is.
func (s *Set) Choose(a *alertv1.Alert) []Choice {
	var (
		all   []Choice
		taken bool
	)

	if s == nil {
		return nil
	}

	for _, route := range s.Routes {
		if !matcher.All(route.Matchers, a) {
			continue
		}

		if route.Default && taken {
			break
		}

		taken = true

		for _, name := range route.Receivers {
			known := slices.ContainsFunc(all, func(c Choice) bool { return c.Receiver.Name == name })
			if r := s.Receiver(name); r != nil && !known {
				all = append(all, Choice{Receiver: r, Route: route})
			}
		}

		if !route.Continue {
			break
		}
	}

	return all
}
