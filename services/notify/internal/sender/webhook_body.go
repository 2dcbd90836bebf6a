package sender

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"time"

	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"
)

// webhookBody is Hale's own JSON; docs/notify.md describes it. Fields are only ever added.
type webhookBody struct {
	ID          string            `json:"id"`
	Kind        string            `json:"kind"`
	Workspace   string            `json:"workspace"`
	Group       string            `json:"group,omitempty"`
	SentTime    time.Time         `json:"sent_time"`
	Title       string            `json:"title"`
	Text        string            `json:"text"`
	Transitions []json.RawMessage `json:"transitions,omitempty"`
	Truncated   int               `json:"truncated,omitempty"`
	Digest      *digestBody       `json:"digest,omitempty"`
}

type digestBody struct {
	Owner    string            `json:"owner,omitempty"`
	FromTime time.Time         `json:"from_time"`
	ToTime   time.Time         `json:"to_time"`
	Fell     []accountBody     `json:"fell"`
	Rose     []accountBody     `json:"rose"`
	Renewals []accountBody     `json:"renewals"`
	Open     []json.RawMessage `json:"open_alerts"`
}

type accountBody struct {
	AccountID   string          `json:"account_id"`
	ScoreBefore *float64        `json:"score_before,omitempty"`
	ScoreAfter  *float64        `json:"score_after,omitempty"`
	Subject     json.RawMessage `json:"subject"`
}

// body is a notification as Hale's own JSON.
func (w *Webhook) body(n *Notification) ([]byte, error) {
	body := webhookBody{
		ID: n.ID, Kind: "alerts", Workspace: n.Workspace, Group: n.Group, SentTime: n.Sent.UTC(), Truncated: n.Truncated,
	}

	var err error

	if n.Digest != nil {
		v := viewDigest(n, plain)
		body.Kind, body.Title, body.Text = "digest", v.Title, v.text()
		body.Digest, err = digestJSON(n.Digest)
	} else {
		body.Title, body.Text = w.texts(newView(n, plain))
		body.Transitions, err = messages(n.Alerts)
	}

	if err != nil {
		return nil, err
	}

	text, err := json.Marshal(body)
	if err != nil {
		return nil, fmt.Errorf("writing the body of a webhook: %w", err)
	}

	return text, nil
}

func digestJSON(d *Digest) (*digestBody, error) {
	body := &digestBody{Owner: d.Owner, FromTime: d.From.UTC(), ToTime: d.To.UTC()}

	var err error

	if body.Open, err = messages(d.Open); err != nil {
		return nil, err
	}

	if body.Fell, err = movesJSON(d.Fell); err != nil {
		return nil, err
	}

	if body.Rose, err = movesJSON(d.Rose); err != nil {
		return nil, err
	}

	body.Renewals = make([]accountBody, 0, len(d.Renewals))

	for _, account := range d.Renewals {
		one, err := accountJSON(account)
		if err != nil {
			return nil, err
		}

		body.Renewals = append(body.Renewals, one)
	}

	return body, nil
}

func movesJSON(moves []Move) ([]accountBody, error) {
	bodies := make([]accountBody, 0, len(moves))

	for _, move := range moves {
		body, err := accountJSON(move.Account)
		if err != nil {
			return nil, err
		}

		body.ScoreBefore, body.ScoreAfter = &move.Before, &move.After
		bodies = append(bodies, body)
	}

	return bodies, nil
}

func accountJSON(a Account) (accountBody, error) {
	subject, err := message(subjectOf(a.Subject))

	return accountBody{AccountID: a.ID, Subject: subject}, err
}

// messages writes messages of the contracts as JSON.
func messages[T proto.Message](list []T) ([]json.RawMessage, error) {
	texts := make([]json.RawMessage, 0, len(list))

	for _, m := range list {
		text, err := message(m)
		if err != nil {
			return nil, err
		}

		texts = append(texts, text)
	}

	return texts, nil
}

// message writes a message of the contracts as JSON, each time the same: what is signed must not vary.
func message(m proto.Message) (json.RawMessage, error) {
	text, err := protojson.MarshalOptions{UseProtoNames: true}.Marshal(m)
	if err != nil {
		return nil, fmt.Errorf("writing JSON: %w", err)
	}

	var same bytes.Buffer // protojson varies its spaces on purpose
	if err := json.Compact(&same, text); err != nil {
		return nil, fmt.Errorf("writing JSON: %w", err)
	}

	return same.Bytes(), nil
}

func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }
