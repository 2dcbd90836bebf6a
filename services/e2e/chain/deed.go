package chain

import (
	"context"
	"fmt"
	"hash/fnv"
	"time"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/durationpb"

	alertv1 "hale.dev/proto/gen/hale/alert/v1"
	"hale.dev/services/internal/alert"
)

// deed is a command about an alert.
type deed struct {
	// kind is the transition that it makes.
	kind alertv1.Transition_Kind
	// alert that it is about; id is the command's, the same on every try.
	alert, id    string
	author, note string
	// revision that its author saw; 0: whatever it is.
	revision uint32
	assignee string
	// sleep and worse say how long the alert sleeps.
	sleep time.Duration
	worse bool
	// twice sends it again after it was answered.
	twice bool
}

// script is what people do about an alert that has fired, one after the other. The seed and what the alert is about choose.
func script(seed uint64, a *alertv1.Alert) []deed {
	acknowledged := deed{kind: alertv1.Transition_KIND_ACKNOWLEDGED, author: "maya", note: "I call them"}
	commented := deed{kind: alertv1.Transition_KIND_COMMENTED, author: "bob", note: "They move", twice: true}
	assigned := deed{kind: alertv1.Transition_KIND_ASSIGNED, author: "bob", assignee: "maya"}
	resolved := deed{kind: alertv1.Transition_KIND_RESOLVED, author: "maya", note: "That was us"}
	snoozed := deed{kind: alertv1.Transition_KIND_SNOOZED, author: "bob", note: "Later"}
	later, worse, late := snoozed, snoozed, acknowledged
	later.sleep = time.Second
	worse.sleep, worse.worse, worse.twice = time.Hour, true, true
	late.author, late.revision = "bob", 1
	scripts := [][]deed{
		{twice(acknowledged), late, commented}, // the second one is refused: the alert has changed
		{acknowledged, again(acknowledged)},    // the second one is refused: it is acknowledged
		{twice(assigned), later},
		{worse, assigned},
		{commented, twice(resolved), again(commented)}, // the last one is refused: it is over
		{acknowledged, worse},
		{later, commented},
		{}, // nobody does anything: it escalates
	}
	h := fnv.New64a()
	_, _ = fmt.Fprint(h, seed, a.GetAccountId(), a.GetRule()) // never fails
	deeds := scripts[h.Sum64()%uint64(len(scripts))]
	for i := range deeds {
		deeds[i].alert, deeds[i].id = a.GetAlertId(), fmt.Sprintf("%s-command-%d", a.GetAlertId(), i)
	}
	return deeds
}

func twice(d deed) deed {
	d.twice = true
	return d
}

// again is the same by somebody else.
func again(d deed) deed {
	d.author, d.twice = "kim", false
	return d
}

// send sends the command once and returns the alert as it left it.
func (d *deed) send(ctx context.Context, to alertv1.AlertServiceClient) (*alertv1.Alert, error) {
	switch d.kind { //nolint:exhaustive // the others are nobody's doing
	case alertv1.Transition_KIND_ACKNOWLEDGED:
		r, err := to.AcknowledgeAlert(ctx, &alertv1.AcknowledgeAlertRequest{
			AlertId: d.alert, CommandId: d.id, Author: d.author, Note: d.note, Revision: d.revision,
		})
		return r.GetAlert(), err
	case alertv1.Transition_KIND_SNOOZED:
		r, err := to.SnoozeAlert(ctx, &alertv1.SnoozeAlertRequest{
			AlertId: d.alert, CommandId: d.id, Author: d.author, Note: d.note, Revision: d.revision,
			Duration: durationpb.New(d.sleep), UntilWorse: d.worse,
		})
		return r.GetAlert(), err
	case alertv1.Transition_KIND_RESOLVED:
		r, err := to.ResolveAlert(ctx, &alertv1.ResolveAlertRequest{
			AlertId: d.alert, CommandId: d.id, Author: d.author, Note: d.note, Revision: d.revision,
		})
		return r.GetAlert(), err
	case alertv1.Transition_KIND_ASSIGNED:
		r, err := to.AssignAlert(ctx, &alertv1.AssignAlertRequest{
			AlertId: d.alert, CommandId: d.id, Author: d.author, Note: d.note, Revision: d.revision, Assignee: d.assignee,
		})
		return r.GetAlert(), err
	default:
		r, err := to.CommentAlert(ctx, &alertv1.CommentAlertRequest{
			AlertId: d.alert, CommandId: d.id, Author: d.author, Comment: d.note,
		})
		return r.GetAlert(), err
	}
}

// verdict reads an answer: the code for which the fold refused the command, empty if it did not. final is false where
// nobody knows what became of it. What Hale should not answer here is its own code.
func verdict(err error) (code string, final bool) {
	if err == nil {
		return "", true
	}
	s := status.Convert(err)
	switch s.Code() {
	case codes.Unavailable, codes.DeadlineExceeded, codes.Canceled:
		return "", false
	}
	for _, detail := range s.Details() {
		info, ok := detail.(*errdetails.ErrorInfo)
		if !ok {
			continue
		}
		switch info.GetReason() {
		case "ALERT_NOT_OPEN":
			return alert.CodeNotOpen, true
		case "ALERT_CHANGED":
			return alert.CodeChanged, true
		case "ALERT_ALREADY_ACKNOWLEDGED":
			return alert.CodeAcknowledged, true
		case "COMMAND_REFUSED":
			return info.GetMetadata()["code"], true
		}
	}
	return s.String(), true
}
