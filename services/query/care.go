package query

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"strconv"

	eventv1 "hale.dev/proto/gen/hale/event/v1"
	healthv1 "hale.dev/proto/gen/hale/health/v1"
	logv1 "hale.dev/proto/gen/hale/log/v1"
	"hale.dev/services/internal/fixed"
	"hale.dev/services/internal/health"
)

// maxOverrideDays is for how many days a score set by hand holds at most.
const maxOverrideDays = 366

// SetOverride implements HealthService.
func (h *healthServer) SetOverride(
	ctx context.Context, req *healthv1.SetOverrideRequest,
) (*healthv1.SetOverrideResponse, error) {
	c, err := h.service.command(ctx, req.GetAccountId(), req.GetCommandId(), req.GetAuthor())
	if err != nil {
		return nil, err
	}

	set, err := overrideOf(req, c.today())
	if err != nil {
		return nil, err
	}

	if err := c.churned(); err != nil {
		return nil, err
	}

	decided := c.record()
	decided.Command = &logv1.AccountCommand_SetOverride{SetOverride: set}

	if err := c.decide(ctx, decided); err != nil {
		return nil, err
	}

	v, err := c.decided(ctx, func(v *view) bool {
		o := v.account.Override()

		return o != nil && o.Score == set.GetScoreMicros() && o.Reason == set.GetReason() &&
			o.LastDay == health.Day(set.GetLastDay()) && o.Author == c.author
	})
	if err != nil {
		return nil, err
	}

	return &healthv1.SetOverrideResponse{Health: v.health(req.GetAccountId())}, nil
}

// overrideOf reads the score and the last day of a request.
func overrideOf(req *healthv1.SetOverrideRequest, today health.Day) (*logv1.SetOverride, error) {
	var wrong violations

	score, err := micros(req.GetScore())
	if err != nil {
		wrong.add("score", "double.finite", "is no number that can be kept")
	}

	last, ok := health.ParseDay(req.GetExpireDate())

	switch {
	case !ok:
		wrong.add("expire_date", "date.calendar", "is not a day of the calendar")
	case last < today:
		wrong.add("expire_date", "date.past", "has passed: it is "+today.String())
	case last > today+maxOverrideDays:
		wrong.add("expire_date", "date.far", "is more than "+strconv.Itoa(maxOverrideDays)+" days ahead")
	}

	return &logv1.SetOverride{ScoreMicros: score, Reason: req.GetReason(), LastDay: int32(last)}, wrong.err()
}

// micros is a number in millionths, rounded half away from zero: of the decimal number that the caller wrote, not of
// the binary one nearest to it.
func micros(number float64) (int64, error) {
	return fixed.ParseDecimal(strconv.FormatFloat(number, 'f', -1, 64))
}

// ClearOverride implements HealthService.
func (h *healthServer) ClearOverride(
	ctx context.Context, req *healthv1.ClearOverrideRequest,
) (*healthv1.ClearOverrideResponse, error) {
	c, err := h.service.command(ctx, req.GetAccountId(), req.GetCommandId(), req.GetAuthor())
	if err != nil {
		return nil, err
	}

	decided := c.record()
	decided.Command = &logv1.AccountCommand_ClearOverride{ClearOverride: &logv1.ClearOverride{}}

	if err := c.decide(ctx, decided); err != nil {
		return nil, err
	}

	v, err := c.decided(ctx, func(v *view) bool { return v.account.Override() == nil })
	if err != nil {
		return nil, err
	}

	return &healthv1.ClearOverrideResponse{Health: v.health(req.GetAccountId())}, nil
}

// SetPulse implements HealthService. A pulse is an event like those that other tools send, so that it is told apart
// from them by nothing but its origin.
func (h *healthServer) SetPulse(
	ctx context.Context, req *healthv1.SetPulseRequest,
) (*healthv1.SetPulseResponse, error) {
	c, err := h.service.command(ctx, req.GetAccountId(), req.GetCommandId(), req.GetAuthor())
	if err != nil {
		return nil, err
	}

	pulse := req.GetPulse()

	if err := c.write(ctx, &logv1.Record{Payload: &logv1.Record_Event{Event: &eventv1.Event{
		MessageId: pulseID(c.id), AccountId: req.GetAccountId(),
		Body: &eventv1.Event_Interaction{Interaction: &eventv1.Interaction{
			Pulse: &pulse, Author: c.author, Note: req.GetNote(),
		}},
	}}}); err != nil {
		return nil, err
	}

	v, err := c.decided(ctx, func(v *view) bool {
		p := v.account.Facts(v.set).Pulse

		return p != nil && int32(p.Pulse) == pulse && p.Author == c.author && p.Note == req.GetNote() && p.Current
	})
	if err != nil {
		return nil, err
	}

	return &healthv1.SetPulseResponse{Health: v.health(req.GetAccountId())}, nil
}

// idBytes of a hash make an id.
const idBytes = 16

// pulseID is the message id of a pulse: one that no sender of events would choose by chance.
func pulseID(command string) string { return "pulse-" + hashed(command) }

// hashed is a short name made of a text.
func hashed(text string) string {
	sum := sha256.Sum256([]byte(text))

	return hex.EncodeToString(sum[:idBytes])
}
