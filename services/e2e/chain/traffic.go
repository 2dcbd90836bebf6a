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
	// eventsEach is how many accounts change in a round.
	eventsEach = 6
	// turns is how often an account rises and falls: one that rises a third time is flapping, and stays for a day.
	turns = 4
	// large is what an account pays, or how many seats it has, when its rule fires.
	large = 500
)

// rules fire and resolve by what an account pays, and by its seats, after a while.
const rules = `
kind: rules
rules:
  - {name: large, summary: The account pays a lot, severity: critical, when: profile.arr >= 100.0}
  - {name: many_seats, summary: The account has many seats, severity: warning, when: profile.seats >= 100.0, for: 2s}
`

// change is an event.
type change struct {
	ID      string   `json:"id"`
	Type    string   `json:"type"`
	Account string   `json:"account"`
	ARR     *float64 `json:"arr,omitempty"`
	Seats   *int     `json:"seats,omitempty"`
}

// account is one that rises and falls.
type account struct {
	id    string
	turns int
	seats bool
}

// traffic makes events that begin and end alerts.
type traffic struct {
	client *rig.Client
	random *rand.Rand
	open   []*account
	made   int
	sent   int
}

func newTraffic(c *rig.Cluster, seed uint64) *traffic {
	return &traffic{
		client: &rig.Client{
			URL: "http://" + c.IngestHTTP + "/v1/events", Key: c.Keys.Ingest, HTTP: &http.Client{Timeout: 10 * time.Second},
		},
		random: rand.New(rand.NewPCG(seed, 1)), //nolint:gosec // reproducible, no secret
	}
}

// round sends the events of a round, until they are accepted.
func (t *traffic) round(ctx context.Context) error {
	var events []change
	for n := range eventsEach {
		if n < 2 || len(t.open) == 0 { //nolint:mnd // two of a round are new: one by each rule
			t.open = append(t.open, &account{id: fmt.Sprintf("account-%d", t.made), seats: t.made%2 == 1})
			t.made++
			events = append(events, t.turn(len(t.open)-1))
			continue
		}
		events = append(events, t.turn(t.random.IntN(len(t.open))))
	}
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

// turn lets an account rise or fall.
func (t *traffic) turn(i int) change {
	a := t.open[i]
	value := 1
	if a.turns%2 == 0 {
		value = large
	}
	t.sent++
	c := change{ID: fmt.Sprintf("change-%d", t.sent), Type: "account", Account: a.id}
	if a.seats {
		c.Seats = &value
	} else {
		c.ARR = new(float64(value))
	}
	if a.turns++; a.turns == turns {
		t.open = append(t.open[:i], t.open[i+1:]...)
	}
	return c
}
