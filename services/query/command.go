package query

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"time"

	"google.golang.org/grpc/codes"

	logv1 "hale.dev/proto/gen/hale/log/v1"
	"hale.dev/services/internal/access"
	"hale.dev/services/internal/eventlog"
	"hale.dev/services/internal/fold"
	"hale.dev/services/internal/health"
	"hale.dev/services/internal/reject"
	"hale.dev/services/internal/store"
)

// origin of the records that are written here.
const origin = "query"

// decision is what a person decided, on its way through the log to the fold and back.
type decision struct {
	service *Service
	begun   time.Time
	// id is the same on a retry.
	id     string
	author string
	// workspace, account and partition that it is about.
	workspace, account string
	partition          int
	// place of the record in the log, once it is written, and the token that names it.
	place reject.Place
	token string
}

// command is a decision about an account.
type command struct {
	decision

	before *view
}

// decision begins one. Without an id it gets a random one; without an author it is that of whoever the credential names.
func (s *Service) decision(ctx context.Context, workspace, account string, partition int, id, author string) decision {
	d := decision{
		service: s, begun: time.Now(), id: id, author: author, workspace: workspace, account: account, partition: partition,
	}

	if d.id == "" {
		d.id = rand.Text()
	}

	if p, ok := access.FromContext(ctx); ok && d.author == "" {
		d.author = p.KeyID
	}

	return d
}

// command begins one about an account that is there.
func (s *Service) command(ctx context.Context, account, id, author string) (*command, error) {
	v, err := s.account(ctx, account, "")
	if err != nil {
		return nil, err
	}

	workspace, _, _ := store.SplitAccount(v.id)

	return &command{decision: s.decision(ctx, workspace, account, v.partition, id, author), before: v}, nil
}

// today is the day of log time.
func (c *command) today() health.Day { return health.DayOf(c.before.logTime) }

// churned refuses what makes no sense for a customer who has left.
func (c *command) churned() error {
	if c.before.account.Result().Stage != health.StageChurned {
		return nil
	}

	return &Error{
		Code: codes.FailedPrecondition, Reason: reasonChurned, Message: "the customer has left: the account is not scored",
	}
}

// record makes the record of a decision about the account.
func (c *command) record() *logv1.AccountCommand {
	return &logv1.AccountCommand{CommandId: c.id, AccountId: c.account, Author: c.author}
}

// decide writes a decision into the log.
func (c *command) decide(ctx context.Context, decided *logv1.AccountCommand) error {
	return c.write(ctx, &logv1.Record{Payload: &logv1.Record_AccountCommand{AccountCommand: decided}})
}

// write writes a record of the decision into the log.
func (d *decision) write(ctx context.Context, record *logv1.Record) error {
	s := d.service
	record.Workspace, record.Origin = d.workspace, origin

	token, err := s.writer.Write(ctx, []eventlog.Item{{Partition: d.partition, Record: record}})
	if err != nil {
		return d.traceable(notWritten(err))
	}

	d.token = token.String()
	d.place = reject.Place{
		Layout: s.deps.Log.Layout().ID, Partition: d.partition, Sequence: sequenceIn(token, d.partition),
	}

	return nil
}

// notWritten says that the log did not take a command, or did not say so.
func notWritten(err error) error {
	err = fmt.Errorf("writing a command: %w", err)

	own, ok := errors.AsType[*eventlog.Error](err)
	if !ok {
		return answer(err)
	}

	return &Error{
		Code: own.Code, Reason: own.Reason, cause: err,
		Message: own.Message + "; a retry with the same command_id is safe",
	}
}

// decided waits until the fold has passed the record and returns the account as it is then. Whether the decision is in
// force shows in the account. Where it does not, it was refused, which is an error, or it was overtaken by a later one.
func (c *command) decided(ctx context.Context, shows func(*view) bool) (*view, error) {
	v, err := c.service.account(ctx, c.account, c.token)
	if err != nil {
		return nil, c.traceable(err)
	}

	if shows(v) {
		return v, nil
	}

	refused, err := c.refusal(ctx, c.refusedAs)
	if err != nil {
		return nil, c.traceable(err)
	}

	if refused != nil {
		return nil, errRefused(refused)
	}

	return v, nil
}

// traceable adds to an error what a retry needs. Nobody knows then whether the decision is in force, or will be.
func (d *decision) traceable(err error) error {
	e, ok := errors.AsType[*Error](err)
	if !ok {
		return err
	}

	told := *e
	told.Metadata = map[string]string{"command_id": d.id}

	if d.token != "" {
		told.Metadata["token"] = d.token
	}

	if told.Reason == reasonNotYet {
		told.Message = "the decision is in the log, and not in force yet; a retry with the same command_id is safe"
	}

	return &told
}

// refusalPage is how many refused records are read at once.
const refusalPage = 256

// refusal looks for a decision among what the fold refused; nil: it was not.
func (d *decision) refusal(ctx context.Context, same func(*reject.Stored) bool) (*reject.Stored, error) {
	const skew = time.Minute // between this clock and the one of the log

	for before := uint64(0); ; {
		found, next, err := d.service.deps.Rejects.List(ctx, d.workspace, "", before, refusalPage)
		if err != nil {
			return nil, rejectsFailed("looking for a command among the rejects", err)
		}

		for i := range found {
			if same(&found[i]) {
				return &found[i], nil
			}
		}

		if next == 0 || found[len(found)-1].At.Before(d.begun.Add(-skew)) {
			return nil, nil //nolint:nilnil // said above
		}

		before = next
	}
}

// refusedAs reports whether an entry is this command's. Many records may share its message.
func (c *command) refusedAs(r *reject.Stored) bool {
	return c.place.Holds(&r.Reject) && r.AccountID == c.account && (r.MessageID == c.id || r.MessageID == pulseID(c.id))
}

// errRefused says what the fold found. Requests are checked before they are written, so it is a matter of something
// that changed in between.
func errRefused(r *reject.Stored) *Error {
	e := &Error{
		Code: codes.FailedPrecondition, Reason: reasonCommand, Message: "refused: " + r.Message,
		Metadata: map[string]string{"code": r.Code, "field": r.Field},
	}

	switch r.Code {
	case fold.CodeUnknownAccount:
		e.Code, e.Reason = codes.NotFound, reasonAccount
	case fold.CodeUnknownGoal:
		e.Code, e.Reason, e.Message = codes.NotFound, reasonGoal, "no such goal"
	case health.CodeTooManyGoals:
		e.Reason, e.Message = reasonGoals, "the account has 20 goals, which is all it may have"
	}

	return e
}
