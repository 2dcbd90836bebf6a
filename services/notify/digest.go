package notify

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"strings"
	"time"

	alertv1 "hale.dev/proto/gen/hale/alert/v1"
	healthv1 "hale.dev/proto/gen/hale/health/v1"
	"hale.dev/services/internal/alertlog"
	"hale.dev/services/internal/delivery"
	"hale.dev/services/notify/internal/dispatch"
	"hale.dev/services/notify/internal/sender"
)

const (
	// renewsWithin is how many days ahead renewals are told.
	renewsWithin = 30 * 24 * time.Hour
	// mostListed bounds each list of a digest, so that a notice has room for it.
	mostListed = 150
)

var (
	errNoPortfolio = errors.New("digests need the store: notify has no --redis")
	errChanging    = errors.New("it changes faster than it can be read")
)

// made is what became of making a digest.
type made struct {
	due     dispatch.DueDigest
	digests []*sender.Digest
	err     error
}

// digest begins to make the digests whose time has come. Reading all accounts takes a while, and delays nothing.
func (w *session) digest(ctx context.Context) error {
	due, writes, err := w.state.TakeDigests(w.service.deps.Clock.Now())
	if err != nil {
		return err
	}

	for _, one := range due {
		w.jobs.Go(func() {
			digests, err := w.service.makeDigest(w.life, one)
			select {
			case w.made <- made{one, digests, err}:
			case <-w.life.Done():
			}
		})
	}

	return w.put(ctx, writes)
}

// undigested notes that a digest could not be made.
func (w *session) undigested(ctx context.Context, m made) {
	w.state.DigestFailed(m.due.Workspace, m.due.Digest.Name, w.service.deps.Clock.Now())
	w.service.deps.Logger.WarnContext(ctx, "a digest cannot be made; it is tried again", slog.String("workspace", m.due.Workspace),
		slog.String("digest", m.due.Digest.Name), slog.Any("error", m.err))
}

// digested writes the digests of all owners, and then that they are written.
func (w *session) digested(ctx context.Context, m made) error {
	now := w.service.deps.Clock.Now()

	var writes []delivery.Write

	for _, d := range m.digests {
		more, err := w.state.AddDigest(m.due, d, now)
		if err != nil {
			return err
		}

		writes = append(writes, more...)
	}

	if err := w.put(ctx, writes); err != nil {
		return err
	}

	last, err := w.state.DigestMade(m.due.Workspace, m.due.Digest.Name, m.due.To)
	if err != nil {
		return err
	}

	return w.put(ctx, []delivery.Write{last})
}

// makeDigest reads what every owner is to be told.
func (s *Service) makeDigest(ctx context.Context, due dispatch.DueDigest) ([]*sender.Digest, error) {
	if s.deps.Portfolio == nil {
		return nil, errNoPortfolio
	}

	b := &digests{due: due, owners: map[string]*sender.Digest{}}

	if err := s.deps.Portfolio.Accounts(ctx, due.Workspace, due.From, b.account); err != nil {
		return nil, fmt.Errorf("reading the accounts: %w", err)
	}

	if _, err := s.deps.Alerts.Latest(ctx, b.alert); err != nil {
		return nil, fmt.Errorf("reading the alerts: %w", err)
	}

	return b.sorted(), nil
}

// digests are being made.
type digests struct {
	due    dispatch.DueDigest
	owners map[string]*sender.Digest
}

// of returns the digest of an owner; nil: the owner is not told.
func (b *digests) of(owner string) *sender.Digest {
	if !b.due.Digest.Wants(owner) {
		return nil
	}

	if b.owners[owner] == nil {
		b.owners[owner] = &sender.Digest{Owner: owner, From: b.due.From, To: b.due.To}
	}

	return b.owners[owner]
}

// account takes in an account. Those that have churned move and renew no more.
func (b *digests) account(h Holding) {
	d := b.of(h.Subject.GetOwner())
	if d == nil || h.Subject.GetStage() == healthv1.Stage_STAGE_CHURNED {
		return
	}

	if now := h.Subject.Score; now != nil && h.Before != nil {
		m := sender.Move{Account: h.Account, Before: *h.Before, After: *now}

		switch cmp.Compare(m.After, m.Before) {
		case -1:
			d.Fell = append(d.Fell, m)
		case 1:
			d.Rose = append(d.Rose, m)
		}
	}

	if b.renews(h.Subject.GetRenewalDate()) {
		d.Renewals = append(d.Renewals, h.Account)
	}
}

// renews tells whether a date is soon.
func (b *digests) renews(date string) bool {
	today := b.due.To.UTC().Truncate(24 * time.Hour)
	day, err := time.Parse(time.DateOnly, date)

	return err == nil && !day.Before(today) && !day.After(today.Add(renewsWithin))
}

// alert takes in the newest record of an alert. It is told to whoever it is assigned to, else to the account's owner.
func (b *digests) alert(e alertlog.Entry) error {
	a := e.Record.GetTransition().GetAlert()
	if e.Record.GetWorkspace() != b.due.Workspace || a.GetState() == alertv1.State_STATE_RESOLVED {
		return nil
	}

	if d := b.of(cmp.Or(a.GetAssignee(), a.GetSubject().GetOwner())); d != nil {
		// It may come again, with a newer record.
		d.Open = slices.DeleteFunc(d.Open, func(o *alertv1.Alert) bool { return o.GetAlertId() == a.GetAlertId() })
		a.Drivers = nil
		d.Open = append(d.Open, a)
	}

	return nil
}

// sorted returns the digests, by owner, with the most important of each list first.
func (b *digests) sorted() []*sender.Digest {
	all := make([]*sender.Digest, 0, len(b.owners))

	for _, owner := range slices.Sorted(maps.Keys(b.owners)) {
		d := b.owners[owner]
		sortMoves(d.Fell)
		sortMoves(d.Rose)
		slices.SortFunc(d.Renewals, func(x, y sender.Account) int {
			return cmp.Or(strings.Compare(x.Subject.GetRenewalDate(), y.Subject.GetRenewalDate()), strings.Compare(x.ID, y.ID))
		})
		slices.SortFunc(d.Open, func(x, y *alertv1.Alert) int {
			return cmp.Or(cmp.Compare(y.GetSeverity(), x.GetSeverity()), x.GetFireTime().AsTime().Compare(y.GetFireTime().AsTime()),
				strings.Compare(x.GetAlertId(), y.GetAlertId()))
		})

		d.Fell, d.Rose = d.Fell[:min(len(d.Fell), mostListed)], d.Rose[:min(len(d.Rose), mostListed)]
		d.Renewals, d.Open = d.Renewals[:min(len(d.Renewals), mostListed)], d.Open[:min(len(d.Open), mostListed)]
		all = append(all, d)
	}

	return all
}

// sortMoves puts the farthest first.
func sortMoves(moves []sender.Move) {
	far := func(m sender.Move) float64 { return max(m.After-m.Before, m.Before-m.After) }
	slices.SortFunc(moves, func(x, y sender.Move) int {
		return cmp.Or(cmp.Compare(far(y), far(x)), strings.Compare(x.ID, y.ID))
	})
}
