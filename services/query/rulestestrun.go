package query

import (
	"context"
	"errors"
	"fmt"
	"time"

	"google.golang.org/grpc/codes"

	adminv1 "hale.dev/proto/gen/hale/admin/v1"
	alertv1 "hale.dev/proto/gen/hale/alert/v1"
	"hale.dev/services/internal/eventlog"
	"hale.dev/services/internal/fold"
	"hale.dev/services/internal/rule"
	"hale.dev/services/internal/scorecard"
	"hale.dev/services/internal/trial"
)

const (
	// rulesTestPart is how many transitions one answer has at most.
	rulesTestPart = 500
	// rulesTestEvery is how often a test says how far it is.
	rulesTestEvery = time.Second
	// rulesTestIDs bounds the message ids remembered at once, in all partitions of a stream.
	rulesTestIDs = 16 << 20
)

// errTestEnd ends the reading of a stream at the place that was its end when the test began.
var errTestEnd = errors.New("query: the end of the test")

// rulesTest is one TestRules under way. Streams are read one after another: the accounts of one are in memory at a time.
type rulesTest struct {
	log        *eventlog.Log
	snapshots  Snapshots // nil: there are none
	workspace  string
	rules      *rule.Set
	scorecards *scorecard.Set
	send       func(*adminv1.TestRulesResponse) error
	limit      int // of accounts

	from       time.Time
	accounts   map[string]struct{} // nil: all
	partitions map[int]struct{}    // nil: all

	spans       []logSpan
	all, done   uint64 // messages
	pending     []*alertv1.Transition
	said        time.Time
	folded      map[int]*trial.Partition
	accountsNow int
}

// run replays the streams and sends what comes of it.
func (t *rulesTest) run(ctx context.Context) error {
	for _, s := range t.spans {
		if err := t.seed(ctx, s); err != nil {
			return err
		}

		if s.first > s.last {
			continue
		}

		err := t.log.Read(ctx, s.stream, s.first, func(m *eventlog.Message) error {
			if m.Sequence <= s.last {
				if err := t.message(m); err != nil {
					return err
				}
			}

			if m.Sequence >= s.last {
				return errTestEnd
			}

			return nil
		})
		if !errors.Is(err, errTestEnd) {
			return fmt.Errorf("testing rules on stream %d: %w", s.stream, err)
		}
	}

	t.done = t.all

	return t.tell()
}

// message folds a message.
func (t *rulesTest) message(m *eventlog.Message) error {
	t.done++

	if t.wants(m.Partition) {
		p, err := t.partition(m.Partition)
		if err != nil {
			return err
		}

		if m.Sequence <= p.Cursor() {
			return nil
		}

		before := p.Accounts()

		transitions, err := p.Fold(&fold.Message{Sequence: m.Sequence, Time: m.Time, Hash: m.Hash(), Records: m.Records})
		if errors.Is(err, fold.ErrDedupeFull) {
			return t.errTooLarge("events in 7 days")
		}

		if err != nil {
			return fmt.Errorf("testing rules: %w", err)
		}

		if err := t.grow(p.Accounts() - before); err != nil {
			return err
		}

		t.take(transitions)
	}

	if len(t.pending) >= rulesTestPart || time.Since(t.said) >= rulesTestEvery {
		return t.tell()
	}

	return nil
}

func (t *rulesTest) wants(partition int) bool {
	if t.partitions == nil {
		return partition >= 0
	}

	_, wanted := t.partitions[partition]

	return wanted
}

func (t *rulesTest) partition(number int) (*trial.Partition, error) {
	if p := t.folded[number]; p != nil {
		return p, nil
	}

	p, err := trial.New(t.options(number))
	if err != nil {
		return nil, fmt.Errorf("testing rules: %w", err)
	}

	t.folded[number] = p

	return p, nil
}

func (t *rulesTest) options(number int) trial.Options {
	layout := t.log.Layout()

	return trial.Options{
		Number: number, Workspace: t.workspace, Rules: t.rules, Scorecards: t.scorecards,
		MaxIDs: max(1, rulesTestIDs*layout.Streams/layout.Partitions),
	}
}

// grow notes that more accounts are in memory.
func (t *rulesTest) grow(by int) error {
	if t.accountsNow += by; t.accountsNow > t.limit {
		return t.errTooLarge(fmt.Sprintf("accounts: more than %d (query.rules_test_accounts) in a stream of the log", t.limit))
	}

	return nil
}

// take keeps what the caller wants.
func (t *rulesTest) take(transitions []*alertv1.Transition) {
	for _, one := range transitions {
		if one.GetAt().AsTime().Before(t.from) {
			continue
		}

		if _, wanted := t.accounts[one.GetAlert().GetAccountId()]; t.accounts == nil || wanted {
			t.pending = append(t.pending, one)
		}
	}
}

// tell sends what is pending, in parts, and how far the test is.
func (t *rulesTest) tell() error {
	progress := 1.0
	if t.all > 0 {
		progress = min(1, float64(t.done)/float64(t.all))
	}

	for {
		n := min(len(t.pending), rulesTestPart)
		if err := t.send(&adminv1.TestRulesResponse{Transitions: t.pending[:n], Progress: progress}); err != nil {
			return fmt.Errorf("sending the outcome of a test: %w", err)
		}

		if t.pending = t.pending[n:]; len(t.pending) == 0 {
			t.said = time.Now()

			return nil
		}
	}
}

func (t *rulesTest) errTooLarge(what string) *Error {
	return &Error{
		Code: codes.ResourceExhausted, Reason: reasonRulesTestTooLarge,
		Message: "the workspace has too many " + what + ": they cannot be replayed in memory",
	}
}
