package cli

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"hale.dev/services/internal/access"
	"hale.dev/services/internal/cli/sender"
)

const (
	// sendEvents and sendBytes fill a request; the server takes 10,000 events and 4 MiB.
	sendEvents = 5000
	sendBytes  = 2 << 20
)

// sentView is what became of everything that was sent.
type sentView struct {
	Accepted int                `json:"accepted"`
	Rejected []sender.Rejection `json:"rejected"`
	// Token of the last batch; Tokens of all, where there were several.
	Token  string   `json:"token"`
	Tokens []string `json:"tokens,omitempty"`
}

func (a *app) sendCommand() *cobra.Command {
	var (
		flags eventFlags
		file  string
		load  loadFlags
	)

	cmd := &cobra.Command{
		Use:   "send [KIND [FIELD=VALUE...]]",
		Short: "Send events: one from the command line, or JSON or NDJSON from a file or stdin",
		Long: "Sends events over Hale's own HTTP API. With a KIND it makes one event, else it reads a file,\n" +
			"or stdin: one event, an array, or one event a line. It tries again while the server is\n" +
			"busy, and prints a token: a read with --at-least TOKEN waits until the score has it.\n\n" +
			"Kinds: " + strings.Join(kinds(), ", "),
		Example: "  hale send usage --account acme --user ann feature=reports quantity=3\n" +
			"  hale send ticket --account acme ticket=T-17 action=opened severity=high\n" +
			"  hale send -f events.ndjson\n" +
			"  hale send -f 2025.ndjson --historical import-1 && hale send --historical import-1 --close\n" +
			"  jq -c .[] export.json | hale send",
		ValidArgs: kinds(),
		RunE: func(cmd *cobra.Command, args []string) error {
			s, err := a.sender(load)
			if err != nil {
				return err
			}

			if load.close {
				return a.closeLoad(cmd.Context(), s, load, args)
			}

			in, err := a.events(args, flags, file)
			if err != nil {
				return err
			}

			defer func() { _ = in.Close() }() // nothing was written to it

			return a.send(cmd.Context(), s, in)
		},
	}
	a.flags(cmd, append(callFlags(), "client.ingest", "client.output")...)
	cmd.Flags().StringVar(&flags.account, "account", "", "account the event is about")
	cmd.Flags().StringVar(&flags.user, "user", "", "user the event is about")
	cmd.Flags().StringVar(&flags.id, "id", "", "message id, the same when the event is sent again; empty: a new one")
	cmd.Flags().StringVar(&flags.time, "time", "", "when it happened, RFC 3339; empty: now")
	cmd.Flags().StringVar(&load.id, "historical", "", "historical load the events belong to; takes the admin key")
	cmd.Flags().BoolVar(&load.close, "close", false, "close the historical load instead of sending")
	cmd.Flags().StringVarP(&file, "file", "f", "-", "file to read when there is no KIND; -: stdin")

	return cmd
}

// loadFlags name a historical load.
type loadFlags struct {
	id    string
	close bool
}

// closeLoad ends a historical load.
func (a *app) closeLoad(ctx context.Context, s *sender.Sender, load loadFlags, args []string) error {
	if load.id == "" || len(args) > 0 {
		return usageError("--close needs --historical LOAD, and sends nothing")
	}

	token, err := s.CloseLoad(ctx, load.id)
	if err != nil {
		return sendError(fmt.Errorf("closing the load: %w", err))
	}

	return a.printSent(sentView{Rejected: []sender.Rejection{}, Token: token})
}

func (a *app) sender(load loadFlags) (*sender.Sender, error) {
	role := access.RoleIngest
	if load.id != "" {
		role = access.RoleAdmin
	}

	key, err := a.settings.key(role)
	if err != nil {
		return nil, err
	}

	at, err := a.settings.endpoints()
	if err != nil {
		return nil, err
	}

	client, err := a.settings.client.http(a.settings.client.timeout)
	if err != nil {
		return nil, err
	}

	return &sender.Sender{
		Client: client, URL: at.ingest, Key: key,
		Load: load.id, Patience: a.settings.client.timeout,
	}, nil
}

// events opens what is to be sent: the event of the command line, a file, or stdin.
func (a *app) events(args []string, flags eventFlags, file string) (io.ReadCloser, error) {
	if len(args) == 0 {
		if flags != (eventFlags{}) {
			return nil, usageError("--account, --user, --id and --time need a KIND: one of %s", strings.Join(kinds(), ", "))
		}

		if file == "-" && terminal(a.io.In) {
			return nil, usageError("name a KIND, a file with -f, or give events on stdin")
		}

		return a.open(file)
	}

	if !slices.Contains(kinds(), args[0]) {
		return nil, usageError("%q is no kind of event: must be one of %s", args[0], strings.Join(kinds(), ", "))
	}

	event, err := eventJSON(args[0], flags, args[1:])
	if err != nil {
		return nil, err
	}

	return io.NopCloser(strings.NewReader(string(event))), nil
}

// send reads events and sends them in batches, in order.
func (a *app) send(ctx context.Context, s *sender.Sender, in io.Reader) error {
	out := outbox{sender: s, view: sentView{Rejected: []sender.Rejection{}}}

	err := out.all(ctx, in)
	if out.sent == 0 && err != nil {
		return sendError(err)
	}

	if printErr := a.printSent(out.view); printErr != nil {
		return printErr
	}

	switch {
	case err != nil:
		return sendError(fmt.Errorf("after %s: %w", count(out.sent, "event"), err))
	case len(out.view.Rejected) > 0:
		return refused("%d of %s refused", len(out.view.Rejected), count(out.sent, "event"))
	default:
		return nil
	}
}

// outbox gathers events into batches.
type outbox struct {
	sender *sender.Sender
	view   sentView
	sent   int // events answered
	body   []byte
	held   int // events in body
}

var errNoEvents = errors.New("there are no events")

// all sends every event of a JSON text: objects one after another, or arrays of them.
func (o *outbox) all(ctx context.Context, in io.Reader) error {
	d := json.NewDecoder(in)

	for {
		var value json.RawMessage

		err := d.Decode(&value)
		if errors.Is(err, io.EOF) {
			break
		}

		if err != nil {
			return refused("event %d: not JSON: %w", o.sent+o.held, err)
		}

		if err := o.value(ctx, value); err != nil {
			return err
		}
	}

	if o.sent+o.held == 0 {
		return refused("%w", errNoEvents)
	}

	return o.flush(ctx)
}

func (o *outbox) value(ctx context.Context, value json.RawMessage) error {
	if value[0] != '[' {
		return o.add(ctx, value)
	}

	var events []json.RawMessage
	if err := json.Unmarshal(value, &events); err != nil {
		return refused("event %d: not JSON: %w", o.sent+o.held, err)
	}

	for _, e := range events {
		if err := o.add(ctx, e); err != nil {
			return err
		}
	}

	return nil
}

// add holds an event, on one line: NDJSON ends an event at the end of its line.
func (o *outbox) add(ctx context.Context, event json.RawMessage) error {
	line, err := oneLine(event)
	if err != nil {
		return err
	}

	if o.held > 0 && (o.held == sendEvents || len(o.body)+len(line) > sendBytes) {
		if err := o.flush(ctx); err != nil {
			return err
		}
	}

	o.body = append(append(o.body, line...), '\n')
	o.held++

	return nil
}

func (o *outbox) flush(ctx context.Context) error {
	if o.held == 0 {
		return nil
	}

	answer, err := o.sender.Send(ctx, o.body, true)
	if err != nil {
		return err
	}

	for _, r := range answer.Rejected {
		r.Index += o.sent
		o.view.Rejected = append(o.view.Rejected, r)
	}

	o.view.Accepted += answer.Accepted

	if answer.Token != "" {
		if o.view.Token != "" || len(o.view.Tokens) > 0 {
			if len(o.view.Tokens) == 0 {
				o.view.Tokens = append(o.view.Tokens, o.view.Token)
			}

			o.view.Tokens = append(o.view.Tokens, answer.Token)
		}

		o.view.Token = answer.Token
	}

	o.sent += o.held
	o.body, o.held = o.body[:0], 0

	return nil
}

// sendError gives an error of the ingest service its exit code.
func sendError(err error) error {
	var code int

	refusal, answered := errors.AsType[*sender.Error](err)

	switch {
	case answered:
		code = exitCodeOfHTTP(refusal.Status)
	case errors.Is(err, sender.ErrUnreachable):
		code = exitUnavailable
	default:
		return err
	}

	return &failure{code: code, err: err}
}

func exitCodeOfHTTP(status int) int {
	switch status {
	case http.StatusUnauthorized, http.StatusForbidden:
		return exitDenied
	case http.StatusNotFound:
		return exitNotFound
	case http.StatusTooManyRequests, http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout:
		return exitUnavailable
	case http.StatusBadRequest, http.StatusRequestEntityTooLarge, http.StatusUnsupportedMediaType:
		return exitRefused
	default:
		return exitFailure
	}
}

func (a *app) printSent(v sentView) error {
	return a.printer().one(v, func(w io.Writer) error {
		t := table{columns: []column{{name: "ACCEPTED", right: true}, {name: "REJECTED", right: true}, {name: "TOKEN"}}}
		t.add(strconv.Itoa(v.Accepted), strconv.Itoa(len(v.Rejected)), v.Token)

		if err := t.write(w); err != nil || len(v.Rejected) == 0 {
			return err
		}

		bad := table{columns: []column{
			{name: "EVENT", right: true}, {name: "MESSAGE ID"}, {name: "FIELD"}, {name: "CODE"}, {name: "MESSAGE"},
		}}
		for _, r := range v.Rejected {
			bad.add(strconv.Itoa(r.Index), r.MessageID, r.Field, r.Code, r.Message)
		}

		if _, err := io.WriteString(w, "\n"); err != nil {
			return err //nolint:wrapcheck // a failed write to stdout says it all
		}

		return bad.write(w)
	})
}
