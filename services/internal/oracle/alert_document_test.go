package oracle_test

// rulings are rules documents that reach every part of an alert's life, over generated logs.
func rulings() [][]byte { return [][]byte{[]byte(swift), []byte(patient), []byte(sparse)} }

const swift = `
rules:
  - {name: low, summary: low, severity: critical, when: 'score < 50', resolve: 'score >= 55', owner: "@account"}
  - {name: lower, summary: lower, severity: warning, when: 'score < 75.0', escalate_after: 30m, inhibited_by: [low]}
  - {name: unseen, summary: unseen, severity: info, when: 'measures.days_since_seen >= 1.0', for: 1h, escalate_after: 2h,
     sources: [usage, login], owner: maya}
  - {name: seen, summary: seen, severity: info, opportunity: true, when: 'measures.days_since_seen < 1.0', keep_firing_for: 6h}
  - {name: there, summary: there, severity: warning, when: 'coverage >= 0', escalate_after: never}
  - {name: tickets, summary: tickets, severity: warning, when: 'tickets_7d >= 1', sources: [ticket], scope: {stages: [onboarding, adopting]}}
  - {name: urgent, summary: urgent, severity: critical, when: 'urgent_ticket_hours >= 2', resolve: 'urgent_ticket_hours == 0'}
  - {name: mute, on: source, summary: mute, severity: critical, when: silent, for: 30m, keep_firing_for: 1h}
`

const patient = `
rules:
  - {name: lower, summary: lower, severity: warning, when: 'band in ["critical", "at_risk", "steady"] || measures.nps < 50.0',
     for: 1d, keep_firing_for: 12h, inhibited_by: [unseen, fell]}
  - {name: low, summary: low, severity: critical, when: 'score < 60 && coverage > 20', for: 12h, keep_firing_for: 1d, inhibited_by: [lower]}
  - {name: unseen, summary: unseen, severity: info, when: 'measures.days_since_seen >= 2.0 && measures.features_used >= 0.0',
     resolve: 'measures.days_since_seen == 0.0', keep_firing_for: 3h, sources: [usage], escalate_after: 12h}
  - {name: fell, summary: fell, severity: warning, when: 'score_change_1d < 0 || score_change_7d <= -5 || dimensions.sentiment < 40.0'}
  - {name: unhappy, summary: unhappy, severity: warning, when: 'nps_detractors_7d >= 1', scope: {plans: [pro]}}
  - {name: renews, summary: renews, severity: critical, when: 'renewal_days <= 90 && renewal_days >= 0 && measures.pulse < 4.0', owner: "@account"}
  - {name: old, summary: old, severity: info, opportunity: true, when: 'age_days >= 3 && nps_promoters_30d >= 1', for: 2d}
  - {name: moved, summary: moved, severity: info, when: 'measure_changes.days_since_seen > 0.0 || measure_changes.active_users < -5.0',
     resolve: 'measure_changes.days_since_seen <= 0.0', sources: [usage, login]}
  - {name: calm, on: source, summary: calm, severity: info, when: '!silent && source != "login"', escalate_after: 1h}
`

const sparse = `
rules:
  - {name: fresh, summary: fresh, severity: info, when: 'age_days <= 2 || urgent_ticket_hours >= 100', keep_firing_for: 2d, for: 1s}
  - {name: seen, summary: seen, severity: warning, when: 'measures.days_since_seen >= 1.0 || stage == "renewal"', inhibited_by: [fresh]}
  - {name: known, summary: known, severity: info, when: 'known_days >= 1 && age_days < 300', resolve: 'known_days >= 5'}
`
