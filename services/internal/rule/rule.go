package rule

import (
	"slices"

	"hale.dev/services/internal/condition"
	"hale.dev/services/internal/scorecard"
)

// Set is a workspace's compiled rules document. It is immutable and safe for concurrent use.
type Set struct {
	// Version is the revision of the document; 0 is the shipped one.
	Version uint64
	// Rules in the order of the document.
	Rules []*Rule

	onAccount, onSource []*Rule // as Ordered returns them; nil: not made by Parse
}

// Rule returns the rule of that name; nil: there is none.
func (s *Set) Rule(name string) *Rule {
	i := slices.IndexFunc(s.Rules, func(r *Rule) bool { return r.Name == name })
	if i < 0 {
		return nil
	}
	return s.Rules[i]
}

// Severity says how much an alert matters. The numbers are those of hale.alert.v1.
type Severity uint8

// The severities.
const (
	SeverityInfo Severity = iota + 1
	SeverityWarning
	SeverityCritical
)

// String is the severity's name in a document; empty for a number that is none.
func (s Severity) String() string {
	switch s {
	case SeverityInfo:
		return "info"
	case SeverityWarning:
		return "warning"
	case SeverityCritical:
		return "critical"
	default:
		return ""
	}
}

// OwnerAccount as a rule's owner stands for the account's success manager.
const OwnerAccount = "@account"

// Rule says when an alert is raised, and when it ends. Times are in microseconds.
type Rule struct {
	// Name identifies the rule in its document, and its alerts after it was changed.
	Name string
	// Summary is what its alerts are about, in a sentence.
	Summary string
	// Owner is who its alerts are assigned to, or OwnerAccount; empty: nobody.
	Owner string
	// RunbookURL is where to read what to do; empty: nowhere.
	RunbookURL string
	// OnSource says that the rule is about a source, not an account.
	OnSource bool
	// Severity is how much its alerts matter.
	Severity Severity
	// For is how long the condition holds before an alert fires.
	For int64
	// KeepFiringFor is how long the rule is clear before its alert ends.
	KeepFiringFor int64
	// EscalateAfter is how long nobody takes an alert up before it is escalated; 0: it never is.
	EscalateAfter int64
	// Opportunity says that it tells of an opportunity and not of a danger.
	Opportunity bool
	// Labels of its alerts, by name.
	Labels []Label
	// Scope is the accounts it looks at.
	Scope Scope
	// InhibitedBy names rules whose open alert makes one of this rule needless.
	InhibitedBy []string
	// Sources names the sources whose silence holds its alerts back.
	Sources []string
	// Measures are those that its conditions write out, in order, each once.
	Measures []scorecard.Measure

	when, resolve *condition.Condition[Subject] // resolve nil: none is given
	sourceWhen    *condition.Condition[source]
}

// Label is a name and a value that go with every alert of a rule.
type Label struct{ Name, Value string }

// Scope is which accounts a rule looks at: those that have one of each list that is not empty.
type Scope struct{ Segments, Plans, Stages []string }
