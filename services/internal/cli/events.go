package cli

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strconv"

	"github.com/spf13/cobra"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/encoding/protojson"

	adminv1 "hale.dev/proto/gen/hale/admin/v1"
	eventv1 "hale.dev/proto/gen/hale/event/v1"
	logv1 "hale.dev/proto/gen/hale/log/v1"
)

func (a *app) eventsCommand() *cobra.Command {
	return parent("events", "Look into the log: tail", a.eventsTailCommand())
}

func (a *app) eventsTailCommand() *cobra.Command {
	q := &adminv1.TailEventsRequest{}

	cmd := &cobra.Command{
		Use: "tail", Short: "Show the records of the log as they come", Args: arguments(0, 0, "no arguments"),
		Example: "  hale events tail\n  hale events tail --last 100 --no-follow -o jsonl",
		RunE: func(cmd *cobra.Command, _ []string) error {
			return a.admin(cmd.Context(), func(ctx context.Context, c adminv1.AdminServiceClient) error {
				stream, err := c.TailEvents(ctx, q)
				if err != nil {
					return fmt.Errorf("reading the log: %w", err)
				}

				return a.tail(ctx, stream.Recv)
			})
		},
	}
	a.flags(cmd, readFlags()...)
	cmd.Flags().Int32Var(&q.Last, "last", 0, "begin this many messages before the end of each stream")
	cmd.Flags().BoolVar(&q.NoFollow, "no-follow", false, "end after what is there now")

	return cmd
}

// tail prints until the log's end, or until the user has seen enough.
func (a *app) tail(ctx context.Context, next func() (*adminv1.TailEventsResponse, error)) error {
	for {
		r, err := next()
		interrupted := status.Code(err) == codes.Canceled && ctx.Err() != nil
		if interrupted || errors.Is(err, io.EOF) {
			return nil
		}

		if err != nil {
			return fmt.Errorf("reading the log: %w", err)
		}

		if err := a.printRecord(r); err != nil {
			return err
		}
	}
}

// recordView is one record of the log; the record itself is in protobuf's own JSON.
type recordView struct {
	Partition int32           `json:"partition"`
	Sequence  uint64          `json:"sequence"`
	LoggedAt  string          `json:"logged_at"`
	Record    json.RawMessage `json:"record"`
}

// printRecord writes one record: a line for people, an object for programs.
func (a *app) printRecord(r *adminv1.TailEventsResponse) error {
	p := a.printer()
	if p.format == formatTable {
		_, err := fmt.Fprintf(p.w, "%s  %s  %s\n", timeText(r.GetLoggedAt()),
			strconv.Itoa(int(r.GetPartition()))+"/"+strconv.FormatUint(r.GetSequence(), 10), recordLine(r.GetRecord()))

		return err //nolint:wrapcheck // a failed write to stdout says it all
	}

	text, err := protojson.MarshalOptions{UseProtoNames: true}.Marshal(r.GetRecord())
	if err != nil {
		return fmt.Errorf("writing a record: %w", err)
	}

	v := recordView{Partition: r.GetPartition(), Sequence: r.GetSequence(), LoggedAt: timeText(r.GetLoggedAt()), Record: text}

	if p.format == formatYAML {
		if _, err := io.WriteString(p.w, "---\n"); err != nil {
			return err //nolint:wrapcheck // a failed write to stdout says it all
		}
	}

	return p.one(v, nil)
}

// recordLine says in one line what a record holds.
func recordLine(r *logv1.Record) string {
	switch p := r.GetPayload().(type) {
	case *logv1.Record_Event:
		return eventLine(r.GetOrigin(), p.Event)
	case *logv1.Record_Tick:
		return "tick"
	case *logv1.Record_SetScorecards:
		return "scorecards version " + strconv.FormatUint(p.SetScorecards.GetVersion(), 10)
	case *logv1.Record_SetRules:
		return "rules version " + strconv.FormatUint(p.SetRules.GetVersion(), 10)
	case *logv1.Record_CloseLoad:
		return "load " + printable(p.CloseLoad.GetHistorical()) + " closed"
	case *logv1.Record_SealedEvent:
		return "sealed event"
	default:
		return "empty record"
	}
}

func eventLine(origin string, e *eventv1.Event) string {
	line := origin + " " + eventKind(e) + " " + printable(e.GetAccountId())
	if u := e.GetUserId(); u != "" {
		line += " user " + printable(u)
	}

	if at := e.GetOccurredAt(); at != nil {
		line += " at " + timeText(at)
	}

	switch b := e.GetBody().(type) {
	case *eventv1.Event_Usage:
		line += " feature " + printable(b.Usage.GetFeature())
	case *eventv1.Event_Ticket:
		line += " ticket " + printable(b.Ticket.GetTicketId()) + " " + enumName(b.Ticket.GetAction().String(), "ACTION_")
	case *eventv1.Event_Survey:
		line += " " + enumName(b.Survey.GetType().String(), "TYPE_") + " " + enumName(b.Survey.GetAction().String(), "ACTION_")
	case *eventv1.Event_Interaction:
		line += " " + enumName(b.Interaction.GetKind().String(), "KIND_")
	}

	return line + " id " + printable(e.GetMessageId())
}

// eventKind is the name of the body that is set.
func eventKind(e *eventv1.Event) string {
	m := e.ProtoReflect()
	if f := m.WhichOneof(m.Descriptor().Oneofs().ByName("body")); f != nil {
		return string(f.Name())
	}

	return "empty"
}
