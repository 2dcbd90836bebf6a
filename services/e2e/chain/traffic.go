package chain

import (
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/http"
	"slices"
	"time"

	"hale.dev/services/e2e/rig"
)

const (
	// eventsEach is how many events a round sends. Of openMost accounts those that change are chosen; older ones stay as they
	// are.
	eventsEach, openMost = 10, 12
	// large is what an account pays, how many seats it has, or how long it is bound, when its rule fires.
	large = 500
	// good and bad are what its user answers when asked how it likes the product: a score of 100, and one of 0.
	good, bad = 10, 0
)

// change is an event.
type change struct {
	ID      string   `json:"id"`
	Type    string   `json:"type"`
	Account string   `json:"account"`
	ARR     *float64 `json:"arr,omitempty"`
	Seats   *int     `json:"seats,omitempty"`
	Term    *int     `json:"term_days,omitempty"`
	User    string   `json:"user,omitempty"`
	Survey  string   `json:"survey,omitempty"`
	Action  string   `json:"action,omitempty"`
	Score   *int     `json:"score,omitempty"`
}

// lever is what rises and falls of an account.
type lever string

const (
	arr   lever = "arr"
	seats lever = "seats"
	term  lever = "term"
	// mood wakes alerts that sleep until worse: it falls, and the score with it.
	mood lever = "mood"
)

// course is what becomes of an account: its levers, in the order in which they are turned, up first. A rule fires twice for
// it at most: the third alert would be flapping, and stay for a day.
func course(account int) []lever {
	courses := [][]lever{
		{term, arr, mood, arr, arr, arr, mood, term}, // what is open comes to be held, and is released, twice
		{seats, mood, seats, mood, seats},            // what takes a while comes twice, and stays
		{arr, term, mood, arr, mood, arr, term, arr}, // what would be held begins when it is free, and ends held
	}
	return courses[account%len(courses)]
}

// account is one that rises and falls.
type account struct {
	id string
	// left are the levers to turn, up those that are up.
	left []lever
	up   map[lever]bool
}

// traffic makes events that begin, hold, wake and end alerts.
type traffic struct {
	client *rig.Client
	random *rand.Rand
	open   []*account
	made   int
	sent   int
}

func newTraffic(c *rig.Cluster, seed uint64) *traffic {
	return newTrafficOf(&rig.Client{
		URL: "http://" + c.IngestHTTP + "/v1/events", Key: c.Keys.Ingest, HTTP: &http.Client{Timeout: 10 * time.Second},
	}, seed)
}

// newTrafficOf sends by a client.
func newTrafficOf(client *rig.Client, seed uint64) *traffic {
	return &traffic{client: client, random: rand.New(rand.NewPCG(seed, 1))} //nolint:gosec // reproducible, no secret
}

// round sends the events of a round, until they are accepted.
func (t *traffic) round(ctx context.Context) error {
	events := t.next()
	body, err := json.Marshal(events)
	if err != nil {
		return fmt.Errorf("encoding events: %w", err)
	}
	answer, err := t.client.Send(ctx, body, len(events))
	if err == nil && len(answer.Rejected) > 0 {
		err = fmt.Errorf("events were rejected: %v", answer.Rejected)
	}
	return err
}

// next makes the events of a round: a new account, and those that change.
func (t *traffic) next() []change {
	a := &account{id: fmt.Sprintf("account-%d", t.made), left: course(t.made), up: map[lever]bool{}}
	t.made++
	events := []change{t.turn(a, mood), t.turn(a, a.left[0])}
	a.left = a.left[1:]
	for _, i := range t.random.Perm(len(t.open)) {
		if one := t.open[i]; len(events) < eventsEach {
			events = append(events, t.turn(one, one.left[0]))
			one.left = one.left[1:]
		}
	}
	t.open = slices.DeleteFunc(append(t.open, a), func(a *account) bool { return len(a.left) == 0 })
	t.open = t.open[max(0, len(t.open)-openMost):]
	return events
}

// turn lets a lever of an account rise or fall.
func (t *traffic) turn(a *account, l lever) change {
	rises := !a.up[l]
	a.up[l] = rises
	t.sent++
	c := change{ID: fmt.Sprintf("change-%d", t.sent), Type: "account", Account: a.id}
	value := 1
	if rises {
		value = large
	}
	switch l {
	case arr:
		c.ARR = new(float64(value))
	case seats:
		c.Seats = &value
	case term:
		c.Term = &value
	case mood:
		score := bad
		if rises {
			score = good
		}
		c.Type, c.User, c.Survey, c.Action, c.Score = "survey", "ada", "nps", "answered", &score
	}
	return c
}
