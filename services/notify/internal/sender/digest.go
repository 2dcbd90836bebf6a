package sender

import (
	"fmt"
	"strings"
	"time"

	alertv1 "hale.dev/proto/gen/hale/alert/v1"
)

// maxRows is how many rows of a digest's list are shown.
const maxRows = 10

// digestView is a digest as it is shown: lists of lines.
type digestView struct {
	Title string
	Lists []digestList
}

type digestList struct {
	Name  string
	Empty string // what stands there if there are no rows
	Rows  []digestRow
	More  int
}

type digestRow struct{ Name, URL, Text string }

// viewDigest shows a digest, each text cleaned for where it goes.
func viewDigest(n *Notification, clean func(string) string) *digestView {
	d := n.Digest
	v := &digestView{Title: clean(line(fmt.Sprintf("Hale digest%s, %s to %s: %d fell, %d rose, %d to renew, %d open alerts",
		forOwner(d.Owner), d.From.UTC().Format(time.DateOnly), d.To.UTC().Format(time.DateOnly),
		len(d.Fell), len(d.Rose), len(d.Renewals), len(d.Open))))}

	move := func(m Move) digestRow { return viewMove(m, n.Links, clean) }
	v.Lists = []digestList{
		viewList("What fell", "Nothing fell.", d.Fell, move),
		viewList("What rose", "Nothing rose.", d.Rose, move),
		viewList("Renewals", "Nothing renews soon.", d.Renewals, func(a Account) digestRow {
			s := subjectOf(a.Subject)
			text := joinFilled(", ", s.GetRenewalDate(), viewMoney(s.Arr, s.GetCurrency()),
				prefixed("score ", viewNumber(s.Score)), bandName(s))

			return digestRow{clean(accountName(a)), n.Links.Account(a.ID), clean(text)}
		}),
		viewList("Open alerts", "No alerts are open.", d.Open, func(a *alertv1.Alert) digestRow {
			text := joinFilled(", ", severityName(a), stateName(a), a.GetSummary(), prefixed("since ", viewTime(a.GetFireTime())))

			return digestRow{clean(nameOf(a)), n.Links.Alert(a.GetAlertId()), clean(text)}
		}),
	}

	return v
}

func viewList[T any](name, empty string, rows []T, show func(T) digestRow) digestList {
	list := digestList{Name: name, Empty: empty, More: max(len(rows)-maxRows, 0)}
	for _, row := range rows[:min(len(rows), maxRows)] {
		list.Rows = append(list.Rows, show(row))
	}

	return list
}

func viewMove(m Move, links Links, clean func(string) string) digestRow {
	text := fmt.Sprintf("%s -> %s (%s)", viewNumber(&m.Before), viewNumber(&m.After), viewChange(m.After-m.Before))

	return digestRow{clean(accountName(m.Account)), links.Account(m.ID), clean(joinFilled(", ", text, bandName(m.Subject)))}
}

func accountName(a Account) string {
	if name := a.Subject.GetName(); name != "" {
		return name
	}

	return a.ID
}

func forOwner(owner string) string { return prefixed(" for ", owner) }

// prefixed puts a prefix before a text that is not empty.
func prefixed(prefix, text string) string {
	if text == "" {
		return ""
	}

	return prefix + text
}

// joinFilled joins the texts that are not empty.
func joinFilled(separator string, texts ...string) string {
	var filled []string

	for _, text := range texts {
		if text != "" {
			filled = append(filled, text)
		}
	}

	return strings.Join(filled, separator)
}

// text is the digest in plain text.
func (v *digestView) text() string { return fromFile("digest.txt.tmpl", v) }

// digest fills a message of Slack.
func (m *slackMessage) digest(v *digestView) {
	m.Text = slackCut(v.Title, slackText)
	m.header(v.Title)

	for _, list := range v.Lists {
		lines := []string{"*" + list.Name + "*"}
		for _, row := range list.Rows {
			lines = append(lines, "• "+slackLink(row.URL, row.Name)+": "+row.Text)
		}

		if len(list.Rows) == 0 {
			lines = append(lines, list.Empty)
		}

		if list.More > 0 {
			lines = append(lines, fmt.Sprintf("and %d more", list.More))
		}

		m.section(strings.Join(lines, "\n"), nil)
	}
}
