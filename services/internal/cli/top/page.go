package top

import (
	"slices"
	"strings"

	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/x/ansi"
)

// page is text over the whole screen, which can be longer than that.
type page struct {
	title, id string
	lines     []string
	top, left int // the first line and column that are seen
}

func newPage(title, id, text string) *page {
	p := &page{title: title, id: id}
	p.set(text)

	return p
}

// set takes the text.
func (p *page) set(text string) { p.lines = strings.Split(strings.TrimRight(text, "\n"), "\n") }

// key scrolls, or closes the page.
func (p *page) key(k tea.KeyPressMsg, height int) (open bool) {
	switch k.String() {
	case "esc", "q", "backspace", "?":
		return false
	case "up", "k":
		p.top--
	case "down", "j":
		p.top++
	case "pgup":
		p.top -= height
	case "pgdown", "space":
		p.top += height
	case "left":
		p.left = max(p.left-sideways, 0)
	case "right":
		p.left += sideways
	case "home", "g":
		p.top, p.left = 0, 0
	case "end", "G":
		p.top = len(p.lines)
	}

	p.top = max(min(p.top, len(p.lines)-height), 0)

	return true
}

// sideways is by how many columns a page is moved.
const sideways = 8

// seen are the lines that fit.
func (p *page) seen(height int) []string {
	from := max(min(p.top, len(p.lines)-height), 0) // the terminal may have grown
	lines := slices.Clone(p.lines[from:min(from+height, len(p.lines))])

	for i, line := range lines {
		lines[i] = ansi.TruncateLeft(line, p.left, "")
	}

	return lines
}

// help says what the keys do.
func help() *page {
	return newPage("keys", "", `up, down, k, j     move by a row
pgup, pgdown       move by a screen
home, end, g, G    first row, last row
tab                alerts, or accounts in the order in which to work on them
enter              why the account's score is what it is; esc goes back
/                  filter the list, in the syntax of hale alerts list --filter
                   and hale accounts list --filter; an empty one shows all
m                  movers of 7 days, or since this view was opened
?                  this page
q, ctrl+c          quit

a                  acknowledge the alert
s                  snooze it: for 1h, 4h, 1d or 1w
r                  resolve it, after a question
c                  comment on it

Decisions name the revision that you see: if somebody was faster, the last
line but one says who, and the list shows what they did.`)
}
