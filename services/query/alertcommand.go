package query

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/protobuf/proto"

	alertv1 "hale.dev/proto/gen/hale/alert/v1"
	logv1 "hale.dev/proto/gen/hale/log/v1"
	"hale.dev/services/internal/alert"
	"hale.dev/services/internal/reject"
)

// alertDecision is a request to decide something about an alert.
type alertDecision interface {
	GetAlertId() string
	GetAuthor() string
	GetCommandId() string
}

// alertCommand is a decision about an alert.
type alertCommand struct {
	decision

	alert  string
	record *logv1.AlertCommand
}

// decide writes a decision about an alert into the log, where the fold finds it, and returns the alert as it left it.
// set fills in what was decided. A retry with the same command_id finds what the first try came to.
func (a *alertServer) decide(
	ctx context.Context, req alertDecision, set func(*logv1.AlertCommand),
) (*alertv1.Alert, error) {
	s := a.service

	found, err := s.findAlert(ctx, req.GetAlertId())
	if err != nil {
		return nil, err
	}

	c := &alertCommand{
		decision: s.decision(
			ctx, found.workspace, found.alert.GetAccountId(), found.partition, req.GetCommandId(), req.GetAuthor(),
		),
		alert: req.GetAlertId(),
	}
	c.record = &logv1.AlertCommand{CommandId: c.id, AccountId: c.account, AlertId: c.alert, Author: c.author}
	set(c.record)

	done, err := c.earlier(ctx, req.GetCommandId() != "", found.alert)
	if err != nil {
		return nil, err
	}

	if done == nil {
		if done, err = c.settle(ctx); err != nil {
			return nil, err
		}
	}

	return s.silences.marked(c.workspace, done.GetAlert()), nil
}

// earlier returns the transition that the command made when it was sent before; nil: it has to be written. What is over
// stays so, so a command about an alert that has ended need not be.
func (c *alertCommand) earlier(ctx context.Context, named bool, now *alertv1.Alert) (*alertv1.Transition, error) {
	if named {
		if done, err := c.made(ctx); err != nil {
			return nil, err
		} else if done != nil {
			return done, c.sameAs(done)
		}
	}

	if now.GetState() == alertv1.State_STATE_RESOLVED {
		return nil, c.errNotOpen(ctx)
	}

	return nil, nil //nolint:nilnil // said above
}

// errMade ends the reading of a trail where the command stands.
var errMade = errors.New("query: the command was sent before")

// made returns the transition that the command made; nil: none. The board is asked first: the replica that reads the trail
// may be behind it.
func (c *alertCommand) made(ctx context.Context) (*alertv1.Transition, error) {
	done := c.service.alerts.board.Command(c.workspace, c.alert, c.id)
	if done != nil {
		return done, nil
	}

	err := c.service.deps.Alerts.Trail(ctx, c.partition, c.alert, func(r *logv1.AlertRecord) error {
		if r.GetTransition().GetCommandId() != c.id {
			return nil
		}

		done = r.GetTransition()

		return errMade
	})
	if err != nil && !errors.Is(err, errMade) {
		return nil, alertsFailed("looking for an earlier try", err)
	}

	return done, nil
}

// settle writes the command, waits until the fold has passed it, and returns what it came to.
func (c *alertCommand) settle(ctx context.Context) (*alertv1.Transition, error) {
	record := &logv1.Record{Payload: &logv1.Record_AlertCommand{AlertCommand: c.record}}
	if err := c.write(ctx, record); err != nil {
		return nil, err
	}

	var (
		done    *alertv1.Transition
		refused *reject.Stored
	)

	err := c.service.patiently(ctx, func(waiting context.Context) (err error) {
		if err := c.service.feed.stored.wait(waiting, c.partition, c.place.Sequence); err != nil {
			return err
		}

		// What the fold refuses is among the rejects before it passes; what it made of the command comes right behind.
		if refused, err = c.refusal(waiting, c.refusedAs); err != nil || refused != nil {
			return err
		}

		done, err = c.service.alerts.board.AwaitCommand(waiting, c.workspace, c.alert, c.id)

		return err
	})

	switch {
	case err != nil:
		return nil, c.traceable(err)
	case refused != nil:
		return nil, c.errRefused(ctx, refused)
	default:
		return done, c.sameAs(done)
	}
}

// sameAs refuses a decision where another one about the alert had its id: it did nothing. By what time an alert sleeps
// does not tell them apart, as a retry counts from now.
func (c *alertCommand) sameAs(done *alertv1.Transition) error {
	if done.GetKind() == c.kind() && done.GetAuthor() == c.author && done.GetNote() == c.record.GetNote() &&
		(c.record.GetAssign() == nil || done.GetAlert().GetAssignee() == c.record.GetAssign().GetAssignee()) {
		return nil
	}

	return &Error{
		Code: codes.AlreadyExists, Reason: reasonCommandReused, Metadata: c.metadata(done),
		Message: fmt.Sprintf("another decision about the alert had this command_id: by %s it was %s",
			by(done.GetAuthor()), changeName(done.GetKind())),
	}
}

// kind is what the decision makes of the alert.
func (c *alertCommand) kind() alertv1.Transition_Kind {
	switch c.record.GetCommand().(type) {
	case *logv1.AlertCommand_Acknowledge:
		return alertv1.Transition_KIND_ACKNOWLEDGED
	case *logv1.AlertCommand_Snooze:
		return alertv1.Transition_KIND_SNOOZED
	case *logv1.AlertCommand_Resolve:
		return alertv1.Transition_KIND_RESOLVED
	case *logv1.AlertCommand_Assign:
		return alertv1.Transition_KIND_ASSIGNED
	default:
		return alertv1.Transition_KIND_COMMENTED
	}
}

// refusedAs reports whether an entry is this command's. Many records may share its message.
func (c *alertCommand) refusedAs(r *reject.Stored) bool {
	if !c.place.Holds(&r.Reject) {
		return false
	}

	record := &logv1.Record{}
	if err := proto.Unmarshal(r.Record, record); err != nil {
		return false
	}

	command := record.GetAlertCommand()

	return command.GetCommandId() == c.id && command.GetAlertId() == c.alert
}

// errRefused says what the fold found: mostly that somebody else was faster, and who.
func (c *alertCommand) errRefused(ctx context.Context, r *reject.Stored) error {
	switch r.Code {
	case alert.CodeNotOpen:
		return c.errNotOpen(ctx)
	case alert.CodeChanged:
		return c.errChanged(ctx)
	case alert.CodeAcknowledged:
		return c.errAcknowledged(ctx)
	}

	return errRefused(r)
}

// toldPatience is how long it is waited for what came before a refusal, to say who did it.
const toldPatience = 2 * time.Second

// newest is the alert's newest transition, waited for a moment until it shows something; it may not.
func (c *alertCommand) newest(ctx context.Context, shows func(*alertv1.Transition) bool) *alertv1.Transition {
	waiting, cancel := context.WithTimeout(ctx, toldPatience)
	defer cancel()

	return c.service.alerts.board.AwaitAlert(waiting, c.workspace, c.alert, shows)
}

// metadata of an error about the alert as it is.
func (c *alertCommand) metadata(t *alertv1.Transition) map[string]string {
	return map[string]string{
		"alert_id": c.alert, "command_id": c.id, "revision": strconv.FormatUint(uint64(t.GetAlert().GetRevision()), 10),
		"changed_by": t.GetAuthor(), "change": changeName(t.GetKind()),
	}
}

// by says who did something.
func by(author string) string {
	if author == "" {
		return "Hale"
	}

	return author
}

func (c *alertCommand) errNotOpen(ctx context.Context) error {
	t := c.newest(ctx, func(t *alertv1.Transition) bool { return t.GetAlert().GetState() == alertv1.State_STATE_RESOLVED })

	return &Error{
		Code: codes.FailedPrecondition, Reason: reasonAlertNotOpen, Metadata: c.metadata(t),
		Message: fmt.Sprintf("the alert is over: %s resolved it at %s", by(t.GetAuthor()), t.GetAt().AsTime().Format(time.RFC3339)),
	}
}

func (c *alertCommand) errChanged(ctx context.Context) error {
	t := c.newest(ctx, func(t *alertv1.Transition) bool { return t.GetAlert().GetRevision() != c.record.GetRevision() })

	return &Error{
		Code: codes.Aborted, Reason: reasonAlertChanged, Metadata: c.metadata(t),
		Message: fmt.Sprintf("the alert is not of revision %d any more: by %s it is %s, revision %d", c.record.GetRevision(),
			by(t.GetAuthor()), changeName(t.GetKind()), t.GetAlert().GetRevision()),
	}
}

func (c *alertCommand) errAcknowledged(ctx context.Context) error {
	t := c.newest(ctx, func(t *alertv1.Transition) bool {
		return t.GetAlert().GetState() == alertv1.State_STATE_ACKNOWLEDGED
	})
	e := &Error{
		Code: codes.FailedPrecondition, Reason: reasonAlertAcknowledged, Metadata: c.metadata(t),
		Message: "the alert is acknowledged already, by " + by(t.GetAlert().GetAcknowledgedBy()),
	}
	e.Metadata["acknowledged_by"] = t.GetAlert().GetAcknowledgedBy()

	return e
}
