package top

import (
	"strings"
	"time"

	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/x/ansi"
)

// The lines beside those of a list: header, portfolio, the list's two headings, message, keys.
const (
	portfolioLines = 7
	otherLines     = 5 + portfolioLines
	// pageLines are the lines beside those of a page.
	pageLines = 4
)

// listHeight is how many rows of a list are seen.
func (m *Model) listHeight() int {
	if m.small() {
		return max(m.height-otherLines+portfolioLines, 1)
	}

	return m.height - otherLines
}

// small says that the screen has no place for the portfolio.
func (m *Model) small() bool { return m.height < otherLines+3 }

func (m *Model) pageHeight() int { return max(m.height-pageLines, 1) }

// View implements tea.Model.
func (m *Model) View() tea.View {
	v := tea.NewView(m.text())
	v.AltScreen = true
	v.WindowTitle = "hale top"

	return v
}

// text is the screen: as many lines as it has, none wider.
func (m *Model) text() string {
	lines := []string{m.header()}

	if m.page != nil {
		lines = append(lines, m.paint.bold(m.page.title), "")
		lines = append(lines, m.page.seen(m.pageHeight())...)
		lines = append(pad(lines, m.height-1), m.paint.dim(pageKeys))
	} else {
		if !m.small() {
			lines = append(lines, m.summary()...)
		}

		lines = append(lines, m.listLines()...)
		lines = append(pad(lines, m.height-2), m.messageLine(), m.paint.dim(m.keys()))
	}

	for i := range lines {
		lines[i] = strings.TrimRight(ansi.Truncate(lines[i], m.width, "…"), " ")
	}

	return strings.Join(lines[:min(len(lines), max(m.height, 1))], "\n")
}

// pad fills up to a number of lines.
func pad(lines []string, n int) []string {
	for len(lines) < n {
		lines = append(lines, "")
	}

	return lines[:max(min(len(lines), n), 0)]
}

const pageKeys = "arrows, pgup, pgdn scroll  esc back  ctrl+c quit"

func (m *Model) keys() string {
	if m.tab == tabAccounts {
		return "enter explain  / filter  tab alerts  m movers  ? help  q quit"
	}

	return "a ack  s snooze  r resolve  c comment  enter explain  / filter  tab  ? help  q"
}

// header is the first line: what is looked at, when, and whether it is live.
func (m *Model) header() string {
	left, state := m.paint.bold("hale top")+"  "+clean(m.place), m.connection()
	right := m.now.UTC().Format(time.DateTime) + " UTC  "
	space := m.width - ansi.StringWidth(left) - ansi.StringWidth(right) - ansi.StringWidth(state)

	if space < 1 { // why it was cut is worth more than what it is
		return state + "  " + right
	}

	return left + strings.Repeat(" ", space) + right + state
}

// connection says how the feeds are.
func (m *Model) connection() string {
	for _, feed := range []Feed{FeedAlerts, FeedAccounts, FeedPortfolio} {
		if err := m.feeds[feed]; err != nil {
			return m.paint.bad(string(feed) + " cut, trying again")
		}
	}

	for _, feed := range []Feed{FeedAlerts, FeedAccounts} {
		if _, ok := m.feeds[feed]; !ok {
			return "connecting"
		}
	}

	return m.paint.with(ansi.Green, "live")
}

// messageLine is the prompt, or what the last command answered.
func (m *Model) messageLine() string {
	switch {
	case m.prompt != nil:
		return m.prompt.line(m.paint, m.width)
	case m.message.bad:
		return m.paint.bad(clean(m.message.text))
	case m.message.text != "":
		return clean(m.message.text)
	}

	for _, feed := range []Feed{FeedAlerts, FeedAccounts, FeedPortfolio} {
		if err := m.feeds[feed]; err != nil {
			return m.paint.bad(clean(string(feed) + ": " + err.Error()))
		}
	}

	return ""
}

// line is the prompt with what was typed; the end of it is what is seen.
func (p *prompt) line(paint paint, width int) string {
	if p.confirm {
		return paint.bold(p.title) + " y, or any other key for no"
	}

	line := paint.bold(p.title) + ": "

	if len(p.choices) == 0 {
		text := clean(p.text)
		if over := ansi.StringWidth(line+text) + 1 - width; over > 0 {
			text = ansi.TruncateLeft(text, over+1, "…")
		}

		return line + text + paint.chosen(" ")
	}

	words := make([]string, 0, len(p.choices))

	for i, c := range p.choices {
		word := " " + c.name + " "
		if i == p.at {
			word = paint.chosen("[" + c.name + "]")
		}

		words = append(words, word)
	}

	return line + strings.Join(words, " ") + " " + paint.dim("left, right, enter")
}
