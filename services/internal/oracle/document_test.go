package oracle_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"hale.dev/services/internal/oracle"
	"hale.dev/services/internal/rule"
	"hale.dev/services/internal/scorecard"
)

// texts are scorecards documents that reach what the shipped one does not: scores in every band,
// conditions over everything, some of which fail, silence of tickets, milestones, odd curves.
func texts() [][]byte {
	return [][]byte{[]byte(mood), []byte(wide), []byte(fussy)}
}

const mood = `
milestones:
  - feature: invite
    due_day: 0
scorecards:
  - name: mood
    connected: []
    dimensions:
      - name: sentiment
        weight: 70
        measures: [{name: nps, weight: 30}, {name: csat, weight: 25}, {name: ces, weight: 15}]
      - name: relationship
        weight: 30
        measures: [{name: pulse, weight: 30}]
`

const wide = `
milestones:
  - feature: invite
    due_day: 3
  - feature: report
    due_day: 70
scorecards:
  - name: gold
    when: profile.traits.tier == "gold" || profile.traits.risk > 1.0
    connected: [login]
    dimensions:
      - name: adoption
        weight: 33
        measures: [{name: stickiness, weight: 11}, {name: active_users, weight: 22, curve: [[0, 0], [0.000001, 30], [300, 100]]}]
      - name: relationship
        weight: 67
        measures: [{name: champion_seen, weight: 29}, {name: days_since_touch, weight: 38}]
  - name: unhappy
    when: has(measures.nps) && measures.nps < 0.0
    connected: [ticket]
    dimensions:
      - name: support
        weight: 37
        measures: [{name: open_tickets, weight: 11}, {name: ticket_volume, weight: 13}, {name: reopen_rate, weight: 13}]
      - name: sentiment
        weight: 63
        measures: [{name: survey_response_rate, weight: 21}, {name: nps, weight: 42, curve: [[-100, 7], [-33.333333, 7], [-33.3, 99.999999], [100, 100]]}]
  - name: pro
    when: profile.plan == "pro" || (age_days > 100 && profile.seats >= 3.0) || (stage == "renewal" && profile.term_days > 90.0)
    connected: [usage, login, ticket]
    dimensions:
      - name: engagement
        weight: 50
        measures: [{name: login_days, weight: 17}, {name: login_trend, weight: 16}, {name: usage_trend, weight: 17}]
      - name: support
        weight: 50
        measures: [{name: resolution_hours, weight: 24}, {name: open_tickets, weight: 26}]
  - name: rest
    connected: []
    dimensions:
      - name: adoption
        weight: 100
        measures:
          - {name: features_used, weight: 34}
          - {name: milestones, weight: 33}
          - {name: days_since_seen, weight: 33, curve: [[0, 90], [2, 10], [9, 80], [60, 20]]}
`

const fussy = `
milestones: []
scorecards:
  - name: mood
    when: has(measures.pulse) && measures.pulse >= 3.0
    connected: [usage]
    dimensions:
      - name: relationship
        weight: 29
        measures: [{name: pulse, weight: 29}]
      - name: engagement
        weight: 71
        measures: [{name: days_since_seen, weight: 71}]
  - name: seen
    when: has(measures.days_since_seen) && measures.days_since_seen < 20.0 && !has(measures.open_tickets)
    connected: []
    dimensions:
      - name: engagement
        weight: 100
        measures: [{name: days_since_seen, weight: 60}, {name: login_days, weight: 40}]
  - name: others
    connected: [usage, login, ticket]
    dimensions:
      - name: sentiment
        weight: 30
        measures: [{name: csat, weight: 30}]
      - name: support
        weight: 70
        measures: [{name: reopen_rate, weight: 31}, {name: resolution_hours, weight: 39}]
`

// documents are the shipped set and those of texts, compiled.
func documents(t *testing.T) []*scorecard.Set {
	t.Helper()
	sets := []*scorecard.Set{scorecard.Shipped()}
	for i, text := range texts() {
		set, err := scorecard.Parse(text)
		require.NoError(t, err)
		set.Version = uint64(i + 1)
		sets = append(sets, set)
	}
	return sets
}

// realOptions replay with the documents of package scorecard, each parsed once.
func realOptions() oracle.Options {
	parsed := map[string]scorecard.Set{}
	return oracle.Options{
		Shipped: scorecard.Shipped(),
		Parse: func(version uint64, document []byte) (*scorecard.Set, error) {
			set, ok := parsed[string(document)]
			if !ok {
				first, err := scorecard.Parse(document)
				if err != nil {
					return nil, err
				}
				set = *first
				parsed[string(document)] = set
			}
			set.Version = version
			return &set, nil
		},
		ShippedRules: rule.Shipped(), AlertID: alertID,
		ParseRules: func(version uint64, document []byte) (*rule.Set, error) {
			set, err := rule.Parse(document)
			if err != nil {
				return nil, err
			}
			set.Version = version
			return set, nil
		},
	}
}
