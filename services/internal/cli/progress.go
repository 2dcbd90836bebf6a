package cli

import (
	"fmt"
	"strings"
	"time"

	"github.com/schollz/progressbar/v3"

	adminv1 "hale.dev/proto/gen/hale/admin/v1"
)

const (
	// barSteps are what a bar is divided into.
	barSteps = 1000
	// lineEvery is how often a log, where there is no terminal, is told how far it is.
	lineEvery = 10 * time.Second
)

// progress shows on stderr how far tasks are: as a bar where a person looks on, else as a line now and then.
type progress struct {
	app   *app
	bar   *progressbar.ProgressBar // nil: lines
	said  time.Time
	drawn string
}

func (a *app) newProgress() *progress {
	p := &progress{app: a}

	if terminal(a.io.Err) {
		p.bar = progressbar.NewOptions(barSteps,
			progressbar.OptionSetWriter(a.io.Err), progressbar.OptionSetWidth(30), // the bar's look
			progressbar.OptionSetPredictTime(false), progressbar.OptionShowDescriptionAtLineEnd(),
			progressbar.OptionThrottle(100*time.Millisecond),
		)
	}

	return p
}

// draw shows the tasks as they are now.
func (p *progress) draw(tasks []*adminv1.Task) {
	s := sumUp(tasks)
	p.show(s.String(), s.share)
}

// show shows a line, and how much is done, 0 to 1.
func (p *progress) show(line string, share float64) {
	p.drawn = line

	if p.bar != nil {
		p.bar.Describe(p.drawn)
		_ = p.bar.Set(int(share * barSteps)) // a bar that cannot be drawn must not stop the command

		return
	}

	if time.Since(p.said) >= lineEvery {
		p.say()
	}
}

func (p *progress) say() {
	p.said = time.Now()
	p.app.sayf("%s", p.drawn)
	p.drawn = ""
}

// end leaves the last state on the screen, or in the log.
func (p *progress) end() {
	switch {
	case p.bar != nil:
		p.app.sayf("")
	case p.drawn != "":
		p.say()
	}
}

// sum is how far the tasks of all streams are together.
type sum struct {
	kind   string
	states map[string]int
	open   int     // streams that have not ended
	share  float64 // of all messages, 0 to 1
	events uint64
	rate   float64 // events a second, of those that are running
	left   time.Duration
	known  bool // left is
}

// sumUp adds up the streams. They are worked on at the same time, so the slowest says how long it takes.
func sumUp(tasks []*adminv1.Task) sum {
	s := sum{states: map[string]int{}, known: true}

	var done, all float64

	for _, t := range tasks {
		s.kind = kindName(t.GetKind())
		s.states[stateName(t.GetState())]++
		s.events += t.GetEvents()
		length := float64(t.GetToSequence() - min(t.GetFromSequence(), t.GetToSequence()))
		all += length

		if final(t) {
			done += length

			continue
		}

		s.open++
		done += min(length, float64(t.GetAtSequence()-min(t.GetFromSequence(), t.GetAtSequence())))
		s.left = max(s.left, t.GetLeft().AsDuration())
		s.known = s.known && t.GetLeft() != nil

		spent := t.GetUpdatedAt().AsTime().Sub(t.GetBegunAt().AsTime()).Seconds()
		if t.GetBegunAt() != nil && spent > 0 {
			s.rate += float64(t.GetEvents()) / spent
		}
	}

	if all > 0 {
		s.share = done / all
	}

	return s
}

// String says it in one line.
func (s sum) String() string {
	if s.open == 0 {
		return s.kind + ": ended"
	}

	if s.states["asked"] == s.open {
		return s.kind + ": waiting for the owners (`hale partitions` shows them)"
	}

	parts := []string{fmt.Sprintf("%s: %.0f%%", s.kind, 100*s.share)} // of a hundred

	if s.states["aborting"] > 0 {
		parts[0] = s.kind + ": being given up"
	}

	if s.rate > 0 {
		parts = append(parts, fmt.Sprintf("%.0f events/s", s.rate))
	}

	if s.known && s.states["aborting"] == 0 {
		parts = append(parts, "about "+s.left.Round(time.Second).String()+" left")
	}

	return strings.Join(parts, ", ")
}
