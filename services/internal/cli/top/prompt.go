package top

import (
	"strconv"
	"strings"
	"time"

	tea "charm.land/bubbletea/v2"
	"github.com/rivo/uniseg"
)

// prompt is a question in the last line but one.
type prompt struct {
	title string
	// choices are what can be chosen; none: text is typed, or yes is said.
	choices []choice
	at      int
	text    string
	confirm bool
	// empty says that no text is an answer too.
	empty bool
	// then is called with the answer.
	then func(p *prompt) tea.Cmd
}

// choice is one of the times for which an alert can be snoozed.
type choice struct {
	name string
	long time.Duration
}

func snoozes() []choice {
	const day = 24 * time.Hour

	return []choice{{"1h", time.Hour}, {"4h", 4 * time.Hour}, {"1d", day}, {"1w", 7 * day}}
}

func textPrompt(title, text string, then func(string) tea.Cmd) *prompt {
	return &prompt{title: title, text: text, then: func(p *prompt) tea.Cmd { return then(strings.TrimSpace(p.text)) }}
}

func choicePrompt(title string, choices []choice, then func(int) tea.Cmd) *prompt {
	return &prompt{title: title, choices: choices, then: func(p *prompt) tea.Cmd { return then(p.at) }}
}

func confirmPrompt(title string, then func() tea.Cmd) *prompt {
	return &prompt{title: title, confirm: true, then: func(*prompt) tea.Cmd { return then() }}
}

// promptKey gives a key to the prompt, and does what it asked for once it is answered.
func (m *Model) promptKey(k tea.KeyPressMsg) tea.Cmd {
	p := m.prompt

	switch p.key(k) {
	case answerGiven:
		m.prompt = nil

		return p.then(p)
	case answerNone:
		m.prompt = nil
		m.say("")
	case answerAwaited:
	}

	return nil
}

// outcome is what a key did to a prompt.
type outcome int

const (
	answerAwaited outcome = iota
	answerGiven
	answerNone
)

func (p *prompt) key(k tea.KeyPressMsg) outcome {
	switch {
	case k.String() == "esc":
		return answerNone
	case p.confirm:
		if k.String() == "y" {
			return answerGiven
		}

		return answerNone // anything else is no
	case len(p.choices) > 0:
		return p.choose(k.String())
	default:
		return p.write(k)
	}
}

// choose moves between the choices; a digit, or enter, takes one.
func (p *prompt) choose(key string) outcome {
	switch key {
	case "left", "up", "shift+tab":
		p.at = max(p.at-1, 0)
	case "right", "down", "tab":
		p.at = min(p.at+1, len(p.choices)-1)
	case "enter":
		return answerGiven
	}

	if n, err := strconv.Atoi(key); err == nil && n >= 1 && n <= len(p.choices) {
		p.at = n - 1

		return answerGiven
	}

	return answerAwaited
}

// write changes the text, at its end.
func (p *prompt) write(k tea.KeyPressMsg) outcome {
	switch k.String() {
	case "enter":
		if strings.TrimSpace(p.text) == "" && !p.empty {
			return answerNone
		}

		return answerGiven
	case "backspace":
		p.text = p.text[:len(p.text)-lastCluster(p.text)]
	case "ctrl+u":
		p.text = ""
	case "ctrl+w":
		trimmed := strings.TrimRight(p.text, " ")
		p.text = trimmed[:strings.LastIndex(trimmed, " ")+1]
	default:
		p.text += k.Text
	}

	return answerAwaited
}

// paste adds text from elsewhere, on one line.
func (p *prompt) paste(text string) {
	if p != nil && !p.confirm && len(p.choices) == 0 {
		p.text += strings.Join(strings.Fields(text), " ")
	}
}

// lastCluster is how many bytes the last thing that looks like a letter has.
func lastCluster(text string) int {
	last := 0

	for g := uniseg.NewGraphemes(text); g.Next(); {
		last = len(g.Bytes())
	}

	return last
}
