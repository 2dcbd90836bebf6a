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
	last   int64 // when its last event came
	known  bool
}

// frozen is what an account was when it heard of a silence.
type frozen struct {
	events []Timed
	day    Day
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
		"ticket": {scorecard.OpenTickets, scorecard.TicketVolume, scorecard.ResolutionHours, scorecard.ReopenRate},
		"survey": {scorecard.NPS, scorecard.CES, scorecard.SurveyResponseRate, scorecard.CSAT},
		"account": {scorecard.Pulse, scorecard.DaysSinceTouch},
	}[source]
}

// setSource applies what the log says of a source.
func (w *World) setSource(workspace string, s *logv1.SetSource) {
	key := sourceKey{workspace, s.GetSource()}
	if made(s.GetSource()) == nil {
		return
	}
	was := w.sources[key]
	older := was.known && (s.GetLastEventMicros() < was.last || s.GetLastEventMicros() == was.last && was.silent)
	if older {
		return
	}
	w.sources[key] = sourceState{silent: s.GetSilent(), last: s.GetLastEventMicros(), known: true}
	if was.silent != s.GetSilent() {
		for _, a := range w.accounts {
			if a.Workspace == workspace {
				a.hear(w)
			}
		}
	}
	if w.options.Partition == 0 {
		w.reviewSource(Subject{Workspace: workspace, Source: s.GetSource()}, w.logTime)
	}
}

// hear tells an account which sources are silent.
func (a *Account) hear(w *World) {
	if a.touched {
		a.evaluate(w)
	}
	a.listen(w)
	a.evaluate(w)
	if a.load == "" {
		a.reviewRules(w.logTime, w, false)
	}
}

// listen makes those measures stand still that are made of a silent source, and lets the others go.
func (a *Account) listen(w *World) {
	var still []scorecard.Measure
	for _, source := range rule.Sources() {
		if w.sources[sourceKey{a.Workspace, source}].silent {
			still = append(still, made(source)...)
		}
	}
	for m := range scorecard.MeasureCount {
		if _, ok := a.frozen[m]; !slices.Contains(still, m) {
			delete(a.frozen, m)
		} else if !ok {
			a.frozen[m] = frozen{events: slices.Clone(a.Events), day: a.Day}
		}
	}
}

// reviewSource reviews the rules on a source.
func (w *World) reviewSource(s Subject, at int64) {
	delete(w.due, s)
	if w.sourceBooks[s] == nil {
		w.sourceBooks[s] = newBook(s)
	}
	state := w.sources[sourceKey{s.Workspace, s.Source}]
	v := review{
		book: w.sourceBooks[s], at: at, set: w.ruleSet(s.Workspace), name: w.options.AlertID, look: sight{band: unknown},
		judge: func(r *rule.Rule) (bool, bool) {
			holds := r.SourceWhen(s.Source, state.silent)
			return holds, !holds
		},
		inside: func(*rule.Rule) bool { return true },
		silent: func(string) bool { return false },
		moved:  func(*rule.Rule) []Driver { return nil },
	}
	v.run()
}

// setRules puts a newer document of rules in force.
func (w *World) setRules(workspace string, s *logv1.SetRules) {
	if s.GetVersion() <= w.ruleSet(workspace).Version {
		return
	}
	set, err := w.options.ParseRules(s.GetVersion(), s.GetDocument())
	if err != nil {
		return
	}
	w.rules[workspace] = set
	for _, a := range w.accounts {
		if a.Workspace == workspace && a.load == "" {
			if a.touched {
				a.evaluate(w)
			}
			a.reviewRules(w.logTime, w, false)
		}
	}
	for _, source := range rule.Sources() {
		if s := (Subject{Workspace: workspace, Source: source}); w.sourceBooks[s] != nil {
			w.reviewSource(s, w.logTime)
		}
	}
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
