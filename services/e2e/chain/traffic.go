package chain

import (
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/http"
	"time"

	"hale.dev/services/e2e/rig"
)

const (
	// eventsEach is how many events a round sends, newEach how many accounts it begins.
	eventsEach, newEach = 10, 2
	// openMost is how many accounts change; the oldest beyond them stay as they are.
	openMost = 12
	// turns is how often a lever is turned: what rises a third time is flapping, and stays for a day.
	turns = 4
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

// levers are those of an account: one whose alerts hold each other, one whose alert takes a while, and one of each order
// in which an alert and the one that holds it can come.
func levers(account int) []lever {
	all := [][]lever{{arr, term, mood}, {seats, mood}, {term, arr, mood}}
	return all[account%len(all)]
}

// account is one that rises and falls.
type account struct {
	id string
	// left are the levers to turn, turned how often each was.
	left   []lever
	turned map[lever]int
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

// next makes the events of a round.
func (t *traffic) next() []change {
	var events []change
	for range newEach {
		a := &account{id: fmt.Sprintf("account-%d", t.made), left: levers(t.made), turned: map[lever]int{}}
		t.made++
		t.open = append(t.open, a)
		events = append(events, t.turn(a, mood), t.turn(a, a.left[0]))
	}
	t.open = t.open[max(0, len(t.open)-openMost):]
	for len(events) < eventsEach && len(t.open) > 0 {
		i := t.random.IntN(len(t.open))
		a := t.open[i]
		events = append(events, t.turn(a, a.left[t.random.IntN(len(a.left))]))
		if len(a.left) == 0 {
			t.open = append(t.open[:i], t.open[i+1:]...)
		}
	}
	return events
}

// turn lets a lever of an account rise or fall.
func (t *traffic) turn(a *account, l lever) change {
	rises := a.turned[l]%2 == 0
	if a.turned[l]++; a.turned[l] == turns {
		left := make([]lever, 0, len(a.left))
		for _, one := range a.left {
			if one != l {
				left = append(left, one)
			}
		}
		a.left = left
	}
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
