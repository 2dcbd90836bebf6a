package ingest

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"time"

	eventv1 "hale.dev/proto/gen/hale/event/v1"
	logv1 "hale.dev/proto/gen/hale/log/v1"
	"hale.dev/services/internal/directory"
	"hale.dev/services/internal/eventlog"
	"hale.dev/services/internal/reject"
)

// anyAccount stands for the account of an event until the directory names it.
const anyAccount = "?"

// logWriter is what the common path needs of eventlog.Writer.
type logWriter interface {
	Write(ctx context.Context, items []eventlog.Item) (eventlog.Token, error)
}

// rejectKeeper is what the common path needs of reject.Stream.
type rejectKeeper interface {
	Put(ctx context.Context, rejects ...reject.Reject) error
	ByKey(ctx context.Context, workspace, code, key string, f func(reject.Stored) error) error
	Delete(ctx context.Context, seq uint64) error
}

// publisher is the common path of all ways in. It is safe for concurrent use.
type publisher struct {
	layout    eventlog.Layout
	writer    logWriter
	rejects   rejectKeeper
	directory *directory.Directory
	checker   *checker
	served    [kinds]bool
	metrics   *metrics
	log       *slog.Logger
	// pressure tells why no event may be taken for now.
	pressure interface{ Why() string }
	// wake asks for the events that wait for a user to be sent again; nil: nobody does that here.
	wake func(workspace, user string)
}

// publish takes a request: when it returns without error, every event is either durable in the log or durable in
// REJECTS and named in the result. An error is a *Problem.
func (p *publisher) publish(ctx context.Context, r *request) (*result, error) {
	if r.historical() && !r.admin {
		return nil, errAdminKey()
	}

	if why := p.pressure.Why(); why != "" {
		return nil, errPressed(why)
	}

	woken, err := p.prepare(ctx, r)
	if err != nil {
		return nil, err
	}

	res, err := p.write(ctx, r)
	if err != nil {
		return nil, err
	}

	if p.wake != nil {
		for _, user := range woken {
			p.wake(r.workspace, user)
		}
	}

	p.metrics.events(ctx, r)

	return res, nil
}

// storesWait bounds all that a request asks of the directory and of REJECTS; the log has a bound of its own.
const storesWait = 8 * time.Second

// prepare decides on every event, stores what is refused, and lets the directory learn. It returns the users whose
// waiting events can be sent again once the request is in the log.
func (p *publisher) prepare(ctx context.Context, r *request) ([]string, error) {
	ctx, cancel := context.WithTimeout(ctx, storesWait)
	defer cancel()

	view := p.directory.View(r.workspace)
	if err := p.load(ctx, view, r); err != nil {
		return nil, directoryProblem(err)
	}

	for i := range r.entries {
		if err := p.admit(ctx, view, r, &r.entries[i]); err != nil {
			return nil, directoryProblem(err)
		}
	}

	if err := p.keep(ctx, r); err != nil {
		return nil, err
	}

	woken, err := view.Commit(ctx)
	if err != nil {
		return nil, directoryProblem(err)
	}

	return woken, nil
}

// historical tells whether some event belongs to a load.
func (r *request) historical() bool {
	for i := range r.entries {
		if r.entries[i].event.GetHistorical() != "" {
			return true
		}
	}

	return false
}

// load reads from the directory, at once, what the request will look up.
func (p *publisher) load(ctx context.Context, view *directory.View, r *request) error {
	var users []string

	last := ""

	for i := range r.entries {
		e := r.entries[i].event
		if user := e.GetUserId(); user != "" && user != last && (e.GetAccountId() == "" || assigns(e)) {
			users = append(users, user)
			last = user
		}
	}

	if len(users) < 2 {
		return nil
	}

	return view.Load(ctx, users)
}

// assigns tells whether an event says which account its user belongs to: one about the account or about the user.
func assigns(e *eventv1.Event) bool {
	if e.GetUserId() == "" {
		return false
	}

	switch kindOf(e) {
	case kindAccount, kindUser:
		return true
	case kindNone, kindUsage, kindLogin, kindTicket, kindSurvey, kindInteraction, kinds:
	}

	return false
}

// admit decides on one event: it is refused, or checked and complete. An error comes from the directory.
func (p *publisher) admit(ctx context.Context, view *directory.View, r *request, e *entry) error {
	if e.event == nil || e.bad != nil {
		return nil
	}

	if e.event.GetOccurredAt() == nil {
		e.event.OccurredAt = timestamp(r.arrival)
	}

	k := kindOf(e.event)
	routed := e.event.GetAccountId() == ""

	switch {
	case k != kindNone && !p.served[k]:
		e.bad = violates("", CodeSourceNotServed, "this service does not take events of the kind "+k.String())
	case routed && e.event.GetUserId() == "":
		e.bad = violates("account_id", CodeMissingAccount, "neither an account nor a user is named")
	case routed:
		e.event.AccountId = anyAccount // so that everything else is checked first
		if e.bad = p.checker.check(e.event, r.arrival); e.bad != nil {
			e.event.AccountId = ""
		}
	default:
		e.bad = p.checker.check(e.event, r.arrival)
	}

	if e.bad != nil {
		return nil
	}

	return p.route(ctx, view, e, routed)
}

// route finds the account of an event that names none, and lets the directory learn from one that does.
func (p *publisher) route(ctx context.Context, view *directory.View, e *entry, routed bool) error {
	user := e.event.GetUserId()

	if previous := e.event.GetUser().GetPreviousUserId(); previous != "" && user != "" {
		if err := view.Merge(ctx, previous, user); err != nil {
			return err
		}
	}

	if !routed {
		if !assigns(e.event) {
			return nil
		}

		return view.Assign(ctx, user, e.event.GetAccountId(), e.at)
	}

	account, known, err := view.Lookup(ctx, user, e.at)
	e.event.AccountId = account

	if err != nil || known {
		return err
	}

	e.bad = violates("user_id", CodeUnknownUser, "no account of the user is known yet; the event waits for one")
	e.waits, err = view.Root(ctx, user)

	return err
}

// keep stores the refused events in REJECTS.
func (p *publisher) keep(ctx context.Context, r *request) error {
	if r.resent {
		return nil
	}

	var (
		rejects []reject.Reject
		waiting map[string]struct{}
	)

	for i := range r.entries {
		e := &r.entries[i]
		if e.bad == nil {
			continue
		}

		kept, err := r.reject(e)
		if err != nil {
			return &Problem{Status: http.StatusInternalServerError, Code: CodeInternal, Message: err.Error(), Err: err}
		}

		rejects = append(rejects, kept)

		if e.waits != "" {
			if waiting == nil {
				waiting = make(map[string]struct{})
			}

			waiting[e.waits] = struct{}{}
		}
	}

	if len(rejects) == 0 {
		return nil
	}

	if err := p.rejects.Put(ctx, rejects...); err != nil {
		return rejectProblem(err)
	}

	return p.recheck(ctx, r.workspace, waiting)
}

// recheck looks once more for users whose events now wait: one who became known between the lookup and the storing
// would wait for ever.
func (p *publisher) recheck(ctx context.Context, workspace string, waiting map[string]struct{}) error {
	if p.wake == nil {
		return nil
	}

	for user := range waiting {
		known, err := p.directory.Known(ctx, workspace, user)
		if err != nil {
			return directoryProblem(err)
		}

		if known {
			p.wake(workspace, user)
		}
	}

	return nil
}

// write writes the good events to the log and makes the result.
func (p *publisher) write(ctx context.Context, r *request) (*result, error) {
	res := &result{}
	items := make([]eventlog.Item, 0, len(r.entries))

	for i := range r.entries {
		e := &r.entries[i]
		if e.bad != nil {
			res.rejected = append(res.rejected, r.rejection(i, e))

			continue
		}

		items = append(items, eventlog.Item{
			Partition: p.layout.Partition(r.workspace, e.event.GetAccountId()), Record: r.record(e),
		})
	}

	if res.accepted = len(items); res.accepted == 0 {
		return res, nil
	}

	place, err := p.writer.Write(ctx, items)
	if err != nil {
		return nil, logProblem(err)
	}

	res.place = place

	return res, nil
}

// record returns the event's record.
func (r *request) record(e *entry) *logv1.Record {
	if e.record == nil {
		e.record = &logv1.Record{Payload: &logv1.Record_Event{Event: e.event}}
	}

	e.record.Workspace, e.record.Origin = r.workspace, r.origin

	return e.record
}

// closeLoad writes the end mark of a historical load to every partition.
func (p *publisher) closeLoad(ctx context.Context, workspace, origin, load string) (string, error) {
	if bad := checkLoad(load); bad != nil || load == "" {
		return "", malformed(CodeInvalidLoad, "the id of a load has 1 to 64 letters, digits, - or _")
	}

	items := make([]eventlog.Item, p.layout.Partitions)
	for i := range items {
		items[i] = eventlog.Item{Partition: i, Record: &logv1.Record{
			Workspace: workspace, Origin: origin,
			Payload: &logv1.Record_CloseLoad{CloseLoad: &logv1.CloseLoad{Historical: load}},
		}}
	}

	token, err := p.writer.Write(ctx, items)
	if err != nil {
		return "", logProblem(err)
	}

	return token.String(), nil
}

// asProblem makes sure that an error is a Problem.
func asProblem(err error) *Problem {
	if p, ok := errors.AsType[*Problem](err); ok {
		return p
	}

	return &Problem{
		Status: http.StatusInternalServerError, Code: CodeInternal, Message: "a defect of the server", RetryAfter: later,
		Err: fmt.Errorf("unexpected: %w", err),
	}
}
