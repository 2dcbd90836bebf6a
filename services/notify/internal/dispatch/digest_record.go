package dispatch

import (
	"encoding/json"
	"fmt"
	"time"

	"google.golang.org/protobuf/proto"

	alertv1 "hale.dev/proto/gen/hale/alert/v1"
	"hale.dev/services/notify/internal/sender"
)

// digestRecord is a digest as it stands in a notice.
type digestRecord struct {
	Owner    string          `json:"owner"`
	From     time.Time       `json:"from"`
	To       time.Time       `json:"to"`
	Fell     []accountRecord `json:"fell,omitempty"`
	Rose     []accountRecord `json:"rose,omitempty"`
	Renewals []accountRecord `json:"renewals,omitempty"`
	Open     [][]byte        `json:"open,omitempty"` // encoded alertv1.Alert
}

type accountRecord struct {
	ID      string  `json:"id"`
	Subject []byte  `json:"subject"` // an encoded alertv1.Subject
	Before  float64 `json:"before,omitempty"`
	After   float64 `json:"after,omitempty"`
}

func encodeDigest(d *sender.Digest) ([]byte, error) {
	r := digestRecord{Owner: d.Owner, From: d.From, To: d.To}

	for into, moves := range map[*[]accountRecord][]sender.Move{&r.Fell: d.Fell, &r.Rose: d.Rose} {
		for _, m := range moves {
			one, err := encodeAccount(m.Account)
			if err != nil {
				return nil, err
			}

			one.Before, one.After = m.Before, m.After
			*into = append(*into, one)
		}
	}

	for _, a := range d.Renewals {
		one, err := encodeAccount(a)
		if err != nil {
			return nil, err
		}

		r.Renewals = append(r.Renewals, one)
	}

	for _, a := range d.Open {
		one, err := proto.Marshal(a)
		if err != nil {
			return nil, fmt.Errorf("encoding alert %s: %w", a.GetAlertId(), err)
		}

		r.Open = append(r.Open, one)
	}

	text, err := json.Marshal(r)
	if err != nil {
		return nil, fmt.Errorf("encoding the digest of %q: %w", d.Owner, err)
	}

	return text, nil
}

func encodeAccount(a sender.Account) (accountRecord, error) {
	subject, err := proto.Marshal(a.Subject)
	if err != nil {
		return accountRecord{}, fmt.Errorf("encoding account %q: %w", a.ID, err)
	}

	return accountRecord{ID: a.ID, Subject: subject}, nil
}

func decodeDigest(text []byte) (*sender.Digest, error) {
	var r digestRecord
	if err := json.Unmarshal(text, &r); err != nil {
		return nil, fmt.Errorf("reading a digest: %w", err)
	}

	d := &sender.Digest{Owner: r.Owner, From: r.From, To: r.To}

	for into, records := range map[*[]sender.Move][]accountRecord{&d.Fell: r.Fell, &d.Rose: r.Rose} {
		for _, one := range records {
			a, err := one.decode()
			if err != nil {
				return nil, err
			}

			*into = append(*into, sender.Move{Account: a, Before: one.Before, After: one.After})
		}
	}

	for _, one := range r.Renewals {
		a, err := one.decode()
		if err != nil {
			return nil, err
		}

		d.Renewals = append(d.Renewals, a)
	}

	for _, one := range r.Open {
		a := &alertv1.Alert{}
		if err := proto.Unmarshal(one, a); err != nil {
			return nil, fmt.Errorf("reading an alert of a digest: %w", err)
		}

		d.Open = append(d.Open, a)
	}

	return d, nil
}

func (r *accountRecord) decode() (sender.Account, error) {
	s := &alertv1.Subject{}
	if err := proto.Unmarshal(r.Subject, s); err != nil {
		return sender.Account{}, fmt.Errorf("reading account %q of a digest: %w", r.ID, err)
	}

	return sender.Account{ID: r.ID, Subject: s}, nil
}
