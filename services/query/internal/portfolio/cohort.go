package portfolio

import (
	healthv1 "hale.dev/proto/gen/hale/health/v1"
	"hale.dev/services/internal/health"
	"hale.dev/services/query/internal/column"
)

// cohorts are the accounts by the month in which they began.
type cohorts struct {
	first health.Month
	of    []cohort
}

// cohort is those that began in the same month.
type cohort struct {
	accounts int64
	opening  amount
	// months are those from its own on.
	months []cohortMonth
}

// cohortMonth is what is left of a cohort at the end of a month.
type cohortMonth struct {
	accounts int64
	arr      amount
}

func newCohorts(o *Options) cohorts {
	n := o.months()
	c := cohorts{first: o.From, of: make([]cohort, n)}

	for i := range c.of {
		c.of[i].months = make([]cohortMonth, n-i)
	}

	return c
}

// add adds an account, churned or not, for which now is the present month, to the cohort it belongs to.
func (c *cohorts) add(r *column.Row, now health.Month, own bool) {
	month := begin(r)
	i := int(month - c.first)

	if i < 0 || i >= len(c.of) {
		return
	}

	of := &c.of[i]
	of.accounts++

	l := lifeOf(r, month, now)
	if own {
		of.opening.add(l.arr)
	}

	for n := range of.months {
		there, arr := l.at(month + health.Month(n))
		if !there {
			continue
		}

		of.months[n].accounts++

		if own {
			of.months[n].arr.add(arr)
		}
	}
}

// life is what is known of an account's months.
type life struct {
	row   *column.Row
	ends  []column.MonthEnd // from the month on in which it began
	now   health.Month
	left  bool
	known health.Month // the first month that anything is known of; now where nothing is
	arr   int64        // its first arr
	since health.Month // the month of its first arr; before, it counts with it
}

func lifeOf(r *column.Row, began, now health.Month) life {
	l := life{row: r, ends: r.Months, now: now, left: churned(r)}
	for len(l.ends) > 0 && l.ends[0].Month < began {
		l.ends = l.ends[1:]
	}

	l.known, l.arr, l.since = l.now, arrOf(r), l.now
	if len(l.ends) > 0 {
		l.known = l.ends[0].Month
	}

	for i := range l.ends {
		if e := &l.ends[i]; e.ARR > 0 {
			l.arr, l.since = e.ARR, e.Month

			break
		}
	}

	return l
}

// at says whether the account was a customer at the end of a month, and its arr then.
func (l *life) at(m health.Month) (there bool, arr int64) {
	there, arr = l.state(m)
	if there && m < l.since {
		arr = l.arr
	}

	return there, arr
}

// state is at without what is not known yet.
func (l *life) state(m health.Month) (there bool, arr int64) {
	switch {
	case m >= l.now:
		return !l.left, arrOf(l.row)
	case m < l.known: // before Hale knew it
		return !l.left || len(l.ends) > 0 || l.row.Churn > m.Last(), 0
	}

	for i := range l.ends {
		if e := &l.ends[i]; e.Month == m {
			return true, max(0, e.ARR)
		}
	}

	return false, 0
}

func (c *cohorts) merge(o *cohorts) {
	for i := range c.of {
		of, other := &c.of[i], &o.of[i]
		of.accounts += other.accounts
		of.opening = of.opening.plus(other.opening)

		for n := range of.months {
			of.months[n].accounts += other.months[n].accounts
			of.months[n].arr = of.months[n].arr.plus(other.months[n].arr)
		}
	}
}

// figures lists the cohorts that have accounts.
func (c *cohorts) figures() []*healthv1.Cohort {
	var out []*healthv1.Cohort

	for i := range c.of {
		of := &c.of[i]
		if of.accounts == 0 {
			continue
		}

		f := &healthv1.Cohort{
			Month:      (c.first + health.Month(i)).String(),
			Accounts:   int32(of.accounts), //nolint:gosec // far below
			OpeningArr: of.opening.float(),
		}

		for n := range of.months {
			f.LogoRetention = append(f.LogoRetention, *share(of.months[n].accounts, of.accounts))

			if net := of.months[n].arr.percent(of.opening); net != nil {
				f.NetRetention = append(f.NetRetention, *net)
			}
		}

		out = append(out, f)
	}

	return out
}
