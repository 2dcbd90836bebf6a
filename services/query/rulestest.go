package query

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"

	adminv1 "hale.dev/proto/gen/hale/admin/v1"
	"hale.dev/services/internal/rule"
	"hale.dev/services/internal/scorecard"
)

// What a test of rules says in its metadata.
const (
	// headerTestBegins is from when on it looks, RFC 3339: the caller's start, or the first record, if that is later.
	headerTestBegins = "hale-test-begins"
	// headerLogTrimmed is there, and true, where records between the caller's start and then were removed from the log:
	// accounts may have had a past that is not known.
	headerLogTrimmed = "hale-log-trimmed"
)

// TestRules implements AdminService. It writes nothing.
func (a *adminServer) TestRules(
	req *adminv1.TestRulesRequest, stream grpc.ServerStreamingServer[adminv1.TestRulesResponse],
) error {
	ctx, cancel := a.service.untilStopping(stream.Context())
	defer cancel()

	ws, err := workspace(ctx)
	if err != nil {
		return err
	}

	rules, err := a.service.rulesToTest(ctx, req.GetDocument())
	if err != nil {
		return err
	}

	if !a.service.rulesTests.begin(ws) {
		return &Error{
			Code: codes.ResourceExhausted, Reason: reasonRulesTestBusy,
			Message: "rules of this workspace are being tested already: wait for the end of that test, or stop it",
		}
	}
	defer a.service.rulesTests.end(ws)

	t := &rulesTest{
		log: a.service.deps.Log, workspace: ws, rules: rules, scorecards: scorecard.Shipped(), send: stream.Send,
		snapshots: a.service.deps.Snapshots,
		limit:     a.service.cfg.RulesTestAccounts, said: time.Now(),
	}
	t.want(req)

	if err := a.service.planTest(ctx, t, stream.SetHeader); err != nil {
		return causeOf(ctx, err)
	}

	return causeOf(ctx, t.run(ctx))
}

// planTest plans a test and says from when on it looks.
func (s *Service) planTest(ctx context.Context, t *rulesTest, say func(metadata.MD) error) error {
	trimmed, err := t.plan(ctx)
	if err != nil {
		return err
	}

	header := metadata.MD{}
	begins := trimmed

	if !trimmed.IsZero() {
		if err := s.trimmedTest(ctx, t); err != nil {
			return err
		}

		header.Set(headerLogTrimmed, "true")
	} else if begins, err = t.firstMessage(ctx); err != nil {
		return err
	}

	if begins.Before(t.from) {
		begins = t.from
	}

	if !begins.IsZero() {
		header.Set(headerTestBegins, begins.UTC().Format(time.RFC3339Nano))
	}

	if err := say(header); err != nil {
		return fmt.Errorf("saying from when on a test looks: %w", err)
	}

	return nil
}

// rulesToTest compiles the document; an empty one stands for the rules in force. Others have the version that they would
// get if they were applied.
func (s *Service) rulesToTest(ctx context.Context, doc string) (*rule.Set, error) {
	version, current, err := s.currentDocument(ctx, alertRules().documentKind)
	if err != nil {
		return nil, err
	}

	if doc == "" {
		doc = current
	} else {
		version++
	}

	if found := alertRules().check(doc); len(found) > 0 {
		return nil, errDocument(alertRules().documentKind, found)
	}

	set, err := rule.Parse([]byte(doc))
	if err != nil {
		return nil, fmt.Errorf("compiling rules: %w", err)
	}

	set.Version = version

	return set, nil
}

// trimmedTest lets a test on a log without its beginning begin with the scorecards that are in force now: the record that
// put them in force may be gone.
func (s *Service) trimmedTest(ctx context.Context, t *rulesTest) error {
	version, doc, err := s.currentDocument(ctx, scorecards().documentKind)
	if err != nil {
		return err
	}

	set, err := scorecard.Parse([]byte(doc))
	if err != nil {
		return fmt.Errorf("compiling scorecards: %w", err)
	}

	set.Version = version
	t.scorecards = set

	return nil
}

// workspaces are those for which something is under way, which may be so once at a time.
type workspaces struct {
	mu   sync.Mutex
	busy []string
}

// begin reports whether nothing was under way.
func (w *workspaces) begin(workspace string) bool {
	w.mu.Lock()
	defer w.mu.Unlock()

	if slices.Contains(w.busy, workspace) {
		return false
	}

	w.busy = append(w.busy, workspace)

	return true
}

func (w *workspaces) end(workspace string) {
	w.mu.Lock()
	defer w.mu.Unlock()

	w.busy = slices.DeleteFunc(w.busy, func(one string) bool { return one == workspace })
}
