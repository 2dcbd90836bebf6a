package oracle

import (
	"slices"

	logv1 "hale.dev/proto/gen/hale/log/v1"
	"hale.dev/services/internal/rule"
	"hale.dev/services/internal/scorecard"
)

// sourceKey names a source of a workspace.
type sourceKey struct{ workspace, source string }

// sourceState is what the log says of a source.
type sourceState struct {
	silent bool
	last   int64 // when its last event came; 0: nothing was decided yet
}

// made are the measures that are made of a source.
func made(source string) []scorecard.Measure {
	return map[string][]scorecard.Measure{
		"usage": {
			scorecard.ActiveUsers, scorecard.FeaturesUsed, scorecard.UsageTrend, scorecard.Stickiness, scorecard.DaysSinceSeen,
			scorecard.ChampionSeen, scorecard.Milestones,
		},
		"login": {
			scorecard.ActiveUsers, scorecard.Stickiness, scorecard.LoginDays, scorecard.LoginTrend, scorecard.DaysSinceSeen,
			scorecard.ChampionSeen,
		},
		"ticket":  {scorecard.OpenTickets, scorecard.TicketVolume, scorecard.ResolutionHours, scorecard.ReopenRate},
		"survey":  {scorecard.NPS, scorecard.CES, scorecard.SurveyResponseRate, scorecard.CSAT},
		"account": {scorecard.Pulse, scorecard.DaysSinceTouch},
	}[source]
}

// setSource applies what the log says of a source.
func (w *World) setSource(workspace string, s *logv1.SetSource) {
	key := sourceKey{workspace, s.GetSource()}
	if made(s.GetSource()) == nil {
		w.rejects = append(w.rejects, Rejected{Workspace: workspace, Code: "unknown_source"})
		return
	}
	was := w.sources[key]
	if s.GetLastEventMicros() < was.last || s.GetLastEventMicros() == was.last && !s.GetSilent() {
		return
	}
	news := was.silent != s.GetSilent() || was.last == 0
	w.sources[key] = sourceState{silent: s.GetSilent(), last: s.GetLastEventMicros()}
	if news {
		w.settingsChanged(workspace, false)
		w.reviewSources(workspace)
	}
}

// settingsChanged lets the accounts of a workspace hear that scorecards, rules or the silence of a source changed. Those
// that the message has touched before hear it at its end; of scorecards there and then. Those in a load when that ends.
func (w *World) settingsChanged(workspace string, scorecards bool) {
	for _, a := range w.accounts {
		switch {
		case a.Workspace != workspace || w.final:
		case a.load != "":
			if scorecards {
				a.evaluate(w)
			}
		case scorecards || !a.touched:
			a.settle(w, false)
		}
	}
}

// settle hears of the silence of sources, evaluates the account and reviews its rules, at log time.
func (a *Account) settle(w *World, quiet bool) {
	a.listen(w)
	a.evaluate(w)
	a.reviewRules(w.logTime, w, quiet)
}

// listen makes those measures stand still that are made of a silent source, and lets the others go.
func (a *Account) listen(w *World) {
	still := map[scorecard.Measure]scorecard.Value{}
	now := a.ledger().still(w.set(a.Workspace).Milestones, everySource, a.still)
	a.silent = map[string]bool{}
	for _, source := range rule.Sources() {
		if a.silent[source] = w.sources[sourceKey{a.Workspace, source}].silent; !a.silent[source] {
			continue
		}
		for _, m := range made(source) {
			still[m] = now[m]
		}
	}
	a.still = still
}

// everySource connects all sources.
const everySource = scorecard.SourceUsage | scorecard.SourceLogin | scorecard.SourceTicket

// still are the measures of which some stand still. They keep their values as if all sources were connected; the absence
// rule is applied to that.
func (l ledger) still(
	milestones []scorecard.Milestone, connected scorecard.Source, still map[scorecard.Measure]scorecard.Value,
) scorecard.Values {
	values := l.measures(milestones, connected)
	active, helped := l.connected(connected)
	for m, was := range still {
		if slices.Contains(measuresOfUse(), m) && !active || slices.Contains(measuresOfTickets(), m) && !helped {
			was.Known = false
		}
		if values[m] = was; !was.Known {
			values[m] = scorecard.Value{}
		}
	}
	return values
}

// measuresOfUse and measuresOfTickets are those that the absence rule is about.
func measuresOfUse() []scorecard.Measure {
	return []scorecard.Measure{
		scorecard.ActiveUsers, scorecard.FeaturesUsed, scorecard.LoginDays, scorecard.DaysSinceSeen,
	}
}

func measuresOfTickets() []scorecard.Measure {
	return []scorecard.Measure{scorecard.OpenTickets, scorecard.TicketVolume}
}

// reviewSources reviews the rules on all sources of a workspace.
func (w *World) reviewSources(workspace string) {
	if w.options.Partition != 0 || w.final {
		return
	}
	for _, source := range rule.Sources() {
		s := Subject{Workspace: workspace, Source: source}
		if w.sourceBooks[s] == nil {
			w.sourceBooks[s] = newBook(s)
		}
		w.viewSource(s, w.logTime).run()
	}
}

// viewSource is what a review of a source goes by.
func (w *World) viewSource(s Subject, at int64) *review {
	state := w.sources[sourceKey{s.Workspace, s.Source}]
	return &review{
		book: w.sourceBooks[s], at: at, set: w.ruleSet(s.Workspace), name: w.options.AlertID, look: sight{band: unknown},
		judge: func(r *rule.Rule) (bool, bool) {
			holds := r.SourceWhen(s.Source, state.silent)
			return holds, !holds
		},
		inside: func(*rule.Rule) bool { return true },
		silent: func(string) bool { return false },
		moved:  func(*rule.Rule) []Driver { return nil },
	}
}

// setRules puts a newer document of rules in force.
func (w *World) setRules(workspace string, s *logv1.SetRules) {
	if s.GetVersion() <= w.ruleSet(workspace).Version {
		return
	}
	set, err := w.options.ParseRules(s.GetVersion(), s.GetDocument())
	if err != nil {
		w.rejects = append(w.rejects, Rejected{Workspace: workspace, Code: "invalid_rules"})
		return
	}
	w.rules[workspace] = set
	w.settingsChanged(workspace, false)
	w.reviewSources(workspace)
}

// ruleSet returns the rules in force in a workspace.
func (w *World) ruleSet(workspace string) *rule.Set {
	if set := w.rules[workspace]; set != nil {
		return set
	}
	if w.options.ShippedRules == nil {
		return &rule.Set{}
	}
	return w.options.ShippedRules
}
