package cli

import (
	"fmt"
	"io"
	"strconv"
	"strings"
)

// drawPortfolio writes the sections that are there, a table each.
func drawPortfolio(v *portfolioView) func(io.Writer) error {
	return func(w io.Writer) error {
		about := "as of " + v.AsOf
		if v.Currency != "" {
			about += ", sums in " + v.Currency
		}

		if v.OtherCurrency > 0 {
			about += ", without those of " + count(int(v.OtherCurrency), "account") + " in another currency"
		}

		if _, err := fmt.Fprintln(w, about); err != nil {
			return err //nolint:wrapcheck // a failed write to stdout says it all
		}

		for _, section := range []struct {
			there bool
			name  string
			table func(*portfolioView) table
		}{
			{v.Total != nil, "Groups", groupTable},
			{v.Movements != nil, "Movement between bands", movementTable},
			{v.Months != nil, "Retention", retentionTable},
			{v.Cohorts != nil, "Cohorts: what is left at the end of each month, percent", cohortTable},
			{v.Overdue != nil, "Renewals overdue", overdueTable},
			{v.Renewals != nil, "Renewals due", dueTable},
			{v.Expansions != nil, "May buy more", expansionTable},
			{v.References != nil, "May speak for us", referenceTable},
			{v.Surveys != nil, "Surveys", surveyTable},
		} {
			if !section.there {
				continue
			}

			t, none := section.table(v), ""
			if len(t.rows) == 0 {
				none = ": none"
			}

			if _, err := fmt.Fprintf(w, "\n%s%s\n", section.name, none); err != nil {
				return err //nolint:wrapcheck // a failed write to stdout says it all
			}

			if len(t.rows) == 0 {
				continue
			}

			if err := t.write(w); err != nil {
				return err
			}
		}

		return nil
	}
}

func left(name string) column  { return column{name: name} }
func right(name string) column { return column{name: name, right: true} }

func whole[N int32 | int64](n N) string { return strconv.FormatInt(int64(n), 10) }

func groupTable(v *portfolioView) table {
	t := table{columns: []column{
		left("BY"), left("NAME"), right("ACCOUNTS"), right("SCORED"), right("SCORE"), right("ARR"), right("AT RISK"),
	}}

	for _, part := range []struct {
		by     string
		groups []groupView
	}{{"all", []groupView{*v.Total}}, {"band", v.Bands}, {"segment", v.Segments}, {"owner", v.Owners}, {"stage", v.Stages}} {
		for _, g := range part.groups {
			t.add(part.by, orNone(g.Name), whole(g.Accounts), whole(g.Scored), optional(g.Score, 1),
				decimal(g.ARR, 0), decimal(g.ARRAtRisk, 0))
		}
	}

	return t
}

// orNone shows that a name is empty.
func orNone(name string) string {
	if name == "" {
		return noData
	}

	return name
}

func movementTable(v *portfolioView) table {
	t := table{columns: []column{left("FROM"), left("TO"), right("ACCOUNTS"), right("ARR")}}

	for _, m := range v.Movements {
		from, to := m.FromBand, m.ToBand
		if from == "unspecified" {
			from = "not there"
		}

		if to == "unspecified" {
			to = "churned"
		}

		t.add(from, to, whole(m.Accounts), decimal(m.ARR, 0))
	}

	return t
}

func retentionTable(v *portfolioView) table {
	t := table{columns: []column{
		left("MONTH"), right("OPENING"), right("NEW"), right("EXPANSION"), right("CONTRACTION"), right("CHURNED"),
		right("GROSS"), right("NET"), right("RENEWABLE"), right("RENEWED"), right("RATE"),
		right("CUSTOMERS"), right("LOST"), right("LOGO CHURN"),
	}}

	for _, m := range v.Months {
		t.add(m.Month, decimal(m.OpeningARR, 0), decimal(m.NewARR, 0), decimal(m.ExpansionARR, 0),
			decimal(m.ContractionARR, 0), decimal(m.ChurnedARR, 0), share(m.GrossRetention), share(m.NetRetention),
			decimal(m.RenewableARR, 0), decimal(m.RenewedARR, 0), share(m.NetRenewalRate),
			whole(m.Accounts), whole(m.ChurnedAccounts), share(m.LogoChurn))
	}

	return t
}

// share is a percentage.
func share(v *float64) string {
	if v == nil {
		return noData
	}

	return decimal(*v, 1) + "%"
}

func cohortTable(v *portfolioView) table {
	t := table{columns: []column{left("MONTH"), right("ACCOUNTS"), right("ARR"), left("OF")}}

	most := 0
	for _, c := range v.Cohorts {
		most = max(most, len(c.LogoRetention))
	}

	for n := range most {
		t.columns = append(t.columns, right("+"+strconv.Itoa(n)))
	}

	for _, c := range v.Cohorts {
		t.add(append([]string{c.Month, whole(c.Accounts), decimal(c.OpeningARR, 0), "arr"}, percents(c.NetRetention)...)...)
		t.add(append([]string{"", "", "", "accounts"}, percents(c.LogoRetention)...)...)
	}

	return t
}

func percents(values []float64) []string {
	out := make([]string, len(values))
	for i, v := range values {
		out[i] = decimal(v, 0)
	}

	return out
}

func overdueTable(v *portfolioView) table { return renewalTable(v.Overdue) }

func dueTable(v *portfolioView) table { return renewalTable(v.Renewals) }

func renewalTable(renewals []renewalView) table {
	t := table{columns: []column{
		left("RENEWS"), left("ACCOUNT"), left("NAME"), right("ARR"), right("SCORE"), left("BAND"), right("LIKELY"), left("OWNER"),
	}}

	for _, r := range renewals {
		t.add(r.RenewalDate, r.AccountID, r.Name, optional(r.ARR, 0), optional(r.Score, 1), r.Band, share(r.Likelihood), r.Owner)
	}

	return t
}

func expansionTable(v *portfolioView) table { return candidateTable(v.Expansions) }

func referenceTable(v *portfolioView) table { return candidateTable(v.References) }

func candidateTable(candidates []candidateView) table {
	t := table{columns: []column{
		left("ACCOUNT"), left("NAME"), right("SCORE"), right("ARR"), left("OWNER"), left("BECAUSE"),
	}}

	for _, c := range candidates {
		t.add(c.AccountID, c.Name, decimal(c.Score, 1), optional(c.ARR, 0), c.Owner, strings.Join(c.Reasons, "; "))
	}

	return t
}

func surveyTable(v *portfolioView) table {
	t := table{columns: []column{
		left("SEGMENT"), left("MONTH"), right("NPS"), right("ANSWERS"), right("CSAT"), right("ANSWERS"),
		right("CES"), right("ANSWERS"), right("SENT"), right("ANSWERED"),
	}}

	for _, s := range v.Surveys {
		segment := s.Segment
		if segment == "" {
			segment = "all"
		}

		t.add(segment, s.Month, optional(s.NPS, 0), whole(s.NPSAnswers), share(s.CSAT), whole(s.CSATAnswers),
			optional(s.CES, 1), whole(s.CESAnswers), whole(s.Sent), share(s.ResponseRate))
	}

	return t
}
