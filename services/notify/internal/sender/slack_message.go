package sender

import (
	"fmt"
	"strings"
)

// Slack's limits, https://docs.slack.dev/reference/block-kit/blocks.
const (
	slackBlocks  = 50
	slackText    = 3000
	slackHeader  = 150
	slackField   = 2000
	slackFields  = 10
	slackShown   = 15 // alerts, of up to 3 blocks each
	slackDrivers = 8
)

type slackMessage struct {
	Channel string       `json:"channel,omitempty"`
	Text    string       `json:"text"` // where blocks are not shown: notifications, screen readers
	Blocks  []slackBlock `json:"blocks"`
}

type slackBlock struct {
	Type     string        `json:"type"`
	Text     *slackObject  `json:"text,omitempty"`
	Fields   []slackObject `json:"fields,omitempty"`
	Elements []slackObject `json:"elements,omitempty"`
}

type slackObject struct {
	Type string `json:"type"`
	Text string `json:"text"`
}

// slackClean keeps a text from being markup: the three characters that Slack asks to escape.
func slackClean(text string) string {
	text = strings.ReplaceAll(plain(text), "&", "&amp;") // first: the others make more of it

	return strings.ReplaceAll(strings.ReplaceAll(text, "<", "&lt;"), ">", "&gt;")
}

// slackPlain takes that back, where there is no markup.
func slackPlain(text string) string {
	text = strings.ReplaceAll(strings.ReplaceAll(text, "&lt;", "<"), "&gt;", ">")

	return strings.ReplaceAll(text, "&amp;", "&")
}

// slackCut shortens a text, and leaves no half of an escaped character or of a link, even if it was cut before.
func slackCut(text string, limit int) string {
	short, isCut := strings.CutSuffix(cut(text, limit), ellipsis)
	if !isCut {
		return text
	}

	if at := strings.LastIndexByte(short, '&'); at >= 0 && !strings.Contains(short[at:], ";") {
		short = short[:at]
	}

	if at := strings.LastIndexByte(short, '<'); at >= 0 && !strings.Contains(short[at:], ">") {
		short = short[:at]
	}

	return short + ellipsis
}

// slackLink is a link; the text alone if there is no address. The address is that of a console or a runbook.
func slackLink(address, text string) string {
	if address = webURL(address); address == "" || text == "" {
		return text
	}

	return "<" + strings.ReplaceAll(address, "&", "&amp;") + "|" + text + ">"
}

// alerts fills the message; text, if there is one, takes the place of Hale's own layout.
func (m *slackMessage) alerts(v *view, title, text string) {
	m.Text = slackCut(title, slackText)
	m.header(title)

	if text != "" {
		m.section(text, nil)

		return
	}

	shown := v.Alerts[:min(len(v.Alerts), slackShown)]
	for i := range shown {
		if i > 0 {
			m.Blocks = append(m.Blocks, slackBlock{Type: "divider"})
		}

		m.alert(&shown[i])
	}

	if len(v.Alerts) > len(shown) || v.More != "" {
		m.context(v.Counts + "; the rest is not shown here")
	}
}

func (m *slackMessage) alert(a *alertView) {
	lines := []string{slackIcon(a) + " *" + strings.ToUpper(a.State) + "* " + a.Severity + ": " + slackLink(a.URL, a.Name)}
	lines = append(lines, strings.TrimSpace(a.Summary))

	if a.Author != "" || a.Note != "" {
		lines = append(lines, strings.TrimSpace(fmt.Sprintf("_%s_ %s %s", a.What, a.Author, a.Note)))
	}

	m.section(strings.Join(lines, "\n"), slackFacts(a))

	if text := slackMoved(a); text != "" {
		m.section(text, nil)
	}
}

// slackIcon shows the state where words are skipped.
func slackIcon(a *alertView) string {
	switch {
	case a.State == "resolved":
		return ":white_check_mark:"
	case a.State == "acknowledged":
		return ":eyes:"
	case a.State == "snoozed":
		return ":zzz:"
	case a.Opportunity:
		return ":bulb:"
	case a.Severity == "critical":
		return ":rotating_light:"
	default:
		return ":warning:"
	}
}

func slackFacts(a *alertView) []slackObject {
	score := a.Score
	if a.Band != "" && score != "" {
		score += " (" + a.Band + ")"
	}

	var fields []slackObject

	for _, f := range [][2]string{
		{"Score", score},
		{"ARR at risk", a.ARRAtRisk},
		{"Renews", a.RenewalDate},
		{"Owner", a.Owner},
		{"Assigned to", a.Assignee},
		{"Acknowledged by", a.AcknowledgedBy},
		{"Snoozed until", a.SnoozeUntil},
		{"Fired", a.FireTime},
		{"Resolved", a.ResolveTime},
		{"Escalated", a.Escalation},
	} {
		if f[1] != "" && len(fields) < slackFields {
			fields = append(fields, slackObject{"mrkdwn", slackCut("*"+f[0]+"*\n"+f[1], slackField)})
		}
	}

	return fields
}

// slackMoved are the drivers, and links.
func slackMoved(a *alertView) string {
	var lines []string

	for _, d := range a.Drivers[:min(len(a.Drivers), slackDrivers)] {
		line := "• " + d.Measure + ": " + fallback("no data", d.Before) + " → " + fallback("no data", d.After) + " " + d.Unit
		if d.BeforeDate != "" {
			line += " since " + d.BeforeDate
		}

		if d.ScoreChange != "" {
			line += ", score " + d.ScoreChange
		}

		lines = append(lines, line)
	}

	var links []string

	for _, l := range [][2]string{{a.URL, "Alert"}, {a.AccountURL, "Account"}, {a.RunbookURL, "What to do"}} {
		if l[0] != "" {
			links = append(links, slackLink(l[0], l[1]))
		}
	}

	if len(links) > 0 {
		lines = append(lines, strings.Join(links, " · "))
	}

	return strings.Join(lines, "\n")
}

func (m *slackMessage) header(title string) {
	m.add(slackBlock{Type: "header", Text: &slackObject{"plain_text", cut(line(slackPlain(title)), slackHeader)}})
}

func (m *slackMessage) section(text string, fields []slackObject) {
	m.add(slackBlock{Type: "section", Text: &slackObject{"mrkdwn", slackCut(text, slackText)}, Fields: fields})
}

func (m *slackMessage) context(text string) {
	m.add(slackBlock{Type: "context", Elements: []slackObject{{"mrkdwn", slackCut(text, slackText)}}})
}

func (m *slackMessage) add(b slackBlock) {
	if len(m.Blocks) < slackBlocks {
		m.Blocks = append(m.Blocks, b)
	}
}
