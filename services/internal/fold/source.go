package fold

import (
	logv1 "hale.dev/proto/gen/hale/log/v1"
	"hale.dev/services/internal/alert"
	"hale.dev/services/internal/health"
	"hale.dev/services/internal/rule"
)

// Alerts about sources are decided in partition 0 alone: what is said there is said once for all partitions.

// reviewSources reviews the alerts about a workspace's sources.
func (p *Partition) reviewSources(w *Workspace) {
	if p.number != 0 {
		return
	}
	for s := range w.books {
		p.decided(w.Name, w.books[s].Review(p.sourceReview(w, health.Source(s), p.LogTime))...)
	}
}

// ringSources reviews the alerts about sources that asked for it, as of when.
func (p *Partition) ringSources() {
	for i := range p.workspaces {
		w := &p.workspaces[i]
		for s := range w.books {
			for at := w.books[s].Next(); at != 0 && at <= p.LogTime; at = w.books[s].Next() {
				p.decided(w.Name, w.books[s].Review(p.sourceReview(w, health.Source(s), at))...)
			}
		}
	}
}

// nextSourceTimer is when an alert about a source has to be looked at; 0: none.
func (p *Partition) nextSourceTimer() int64 {
	next := int64(0)
	for i := range p.workspaces {
		for s := range p.workspaces[i].books {
			if at := p.workspaces[i].books[s].Next(); at != 0 && (next == 0 || at < next) {
				next = at
			}
		}
	}
	return next
}

func (p *Partition) sourceReview(w *Workspace, s health.Source, at int64) *alert.Review {
	silent := w.Silence[s].Silent
	return &alert.Review{
		Key: alert.Key{Workspace: w.Name, Source: s.String()}, At: at, Rules: p.rulesOf(w.Name), Score: -1,
		Conditions: func(one *rule.Rule) alert.Condition {
			holds := one.SourceWhen(s.String(), silent)
			return alert.Condition{Holds: holds, Clear: !holds}
		},
	}
}

// sourceCommand applies a command about an alert about a source; nil: it is done.
func (p *Partition) sourceCommand(workspace string, c *logv1.AlertCommand) *health.Refusal {
	last := &alert.Refusal{Code: alert.CodeNotOpen, Field: "alert_id", Message: "there is no open alert of this id"}
	if w := p.findWorkspace(workspace); w != nil {
		for s := range w.books {
			r := p.sourceReview(w, health.Source(s), p.LogTime)
			refusal := w.books[s].Examine(r.Key, c, p.LogTime)
			if refusal == nil {
				p.decided(workspace, w.books[s].Command(r, c))
				return nil
			}
			if refusal.Code != alert.CodeNotOpen {
				last = refusal
			}
		}
	}
	return &health.Refusal{Code: last.Code, Field: last.Field, Message: last.Message}
}
