package query

import (
	"context"
	"errors"
	"math"
	"slices"

	"google.golang.org/grpc/codes"

	"hale.dev/services/internal/fold"
	"hale.dev/services/internal/health"
	"hale.dev/services/internal/scorecard"
	"hale.dev/services/internal/store"
	"hale.dev/services/query/internal/column"
)

// accounts reads single accounts from the store and brings them up to date.
type accounts struct {
	store   store.Store
	sets    sets
	states  *states
	answers *answers
}

func newAccounts(s store.Store, partitions int) *accounts {
	return &accounts{
		store: s, sets: sets{shipped: scorecard.Shipped()}, states: newStates(partitions),
		answers: newAnswers(maxAnswers),
	}
}

// view is an account as of one instant of its partition, on a copy that belongs to the reader.
type view struct {
	id        string
	partition int
	account   *health.Account
	set       *scorecard.Set
	cursor    uint64
	// logTime of the partition, in microseconds.
	logTime int64
	// state of the partition; not to be changed.
	state *fold.State
	// rows are those of days that passed since the account was last stored.
	rows []health.Row
	// load is the historical load that the account was stored in; empty: none.
	load string
	// extra are the values of the keys that were asked for beside the account.
	extra [][]byte
	// answer is the account as it was explained before, if only that was asked for; then account is nil.
	answer []byte
}

// exists reports whether there is an account.
func (v *view) exists() bool { return v.account != nil || v.answer != nil }

// reads bounds how often a read is tried again because the account or its scorecards changed in between.
const reads = 8

var errChanging = errors.New("query: the account changes faster than it can be read")

// read reads an account, and the values of extra keys of its partition at the same instant. A nil account: there is
// none; the rest of the view is good.
//
// One read is the rule. The parts of a large account, and scorecards not met before, are known only once the
// account is read: then it is read again together with them, so that all is as of one instant.
func (a *accounts) read(ctx context.Context, partition int, workspace, id string, extra ...string) (*view, error) {
	return a.readUsing(ctx, nil, partition, workspace, id, extra...)
}

// explain reads an account to be explained: its answer may be one that was made before of the very same.
func (a *accounts) explain(ctx context.Context, partition int, workspace, id string, _ ...string) (*view, error) {
	return a.readUsing(ctx, a.answers, partition, workspace, id)
}

// readUsing is read; with known answers it leaves an account alone that has one, and adds those that have none.
func (a *accounts) readUsing(
	ctx context.Context, known *answers, partition int, workspace, id string, extra ...string,
) (*view, error) {
	var (
		keys  = append([]string{store.AccountKey(id)}, extra...)
		plain = len(keys)
		parts []uint32
		cards bool
	)

	for range reads {
		at, values, err := a.look(ctx, partition, keys)
		if err != nil {
			return nil, err
		}

		v, state := at.view(id), at.state
		v.extra = values[1:plain]

		if values[0] == nil {
			return v, nil
		}

		now, err := partsOf(values[0])
		if err != nil {
			return nil, err
		}

		if cards {
			if _, err := a.sets.add(workspace, state.Version(workspace), values[len(values)-1]); err != nil {
				return nil, err
			}
		}

		v.set = a.sets.get(workspace, state.Version(workspace))
		if v.set != nil && slices.Equal(now, parts) {
			if known != nil && len(parts) == 0 {
				return v, known.explain(v, values[0], state, workspace)
			}

			return v, v.decode(values[0], parts, values[plain:], state, workspace)
		}

		keys, parts, cards = keys[:plain], now, v.set == nil
		for _, n := range parts {
			keys = append(keys, store.PartKey(id, n))
		}

		if cards {
			keys = append(keys, store.ScorecardsKey(workspace))
		}
	}

	return nil, unavailable(reasonStore, "the account changes faster than it can be read", errChanging)
}

// partsOf returns the parts of an account's value that stand elsewhere.
func partsOf(main []byte) ([]uint32, error) {
	parts, err := health.Parts(main)
	if err != nil {
		return nil, unusable("an account", err)
	}

	return parts, nil
}

// instant is a partition as of one read.
type instant struct {
	partition int
	cursor    uint64
	state     *fold.State // shared: not to be changed
}

// view is an account as of that instant, not decoded yet.
func (i *instant) view(id string) *view {
	return &view{id: id, partition: i.partition, cursor: i.cursor, logTime: i.state.LogTime, state: i.state}
}

// look reads keys of a partition.
func (a *accounts) look(ctx context.Context, partition int, keys []string) (*instant, [][]byte, error) {
	head, values, err := a.store.Read(ctx, partition, keys...)
	if err != nil {
		return nil, nil, unavailable(reasonStore, "the store does not answer", err)
	}

	state, err := a.states.decode(partition, head.State)
	if err != nil {
		return nil, nil, unusable("the state of a partition", err)
	}

	return &instant{partition: partition, cursor: head.Cursor, state: state}, values, nil
}

// decode reads the account out of its values and brings it up to date, as the fold would at this log time.
func (v *view) decode(main []byte, parts []uint32, values [][]byte, state *fold.State, workspace string) error {
	account, err := health.Decode(main, func(n uint32) []byte {
		if i := slices.Index(parts, n); i >= 0 {
			return values[i]
		}

		return nil
	})
	if err != nil {
		return unusable("an account", err)
	}

	v.account, v.load = account, account.Load()

	if load := v.load; load != "" && !state.OpenLoad(workspace, load) {
		account.SetLoad("")
	}

	if account.Stale(v.set) {
		account.Evaluate(v.set)
	}

	if today := health.DayOf(v.logTime); account.Load() == "" && account.Day() < today {
		account.Roll(today, v.set, func(r health.Row) { v.rows = append(v.rows, r) })
	}

	return nil
}

// unusable is an error of something stored that cannot be read.
func unusable(what string, err error) error {
	return &Error{
		Code: codes.Internal, Reason: reasonDataUnusable, Message: what + " cannot be read from the store", cause: err,
	}
}

// summarize makes a row of an account's stored value, and decodes it. The scoring service evaluates accounts as they
// change and when days pass, so what is stored is what lists show.
func (a *accounts) summarize(
	ctx context.Context, partition int, id string, main []byte,
) (*column.Row, *health.Account, error) {
	parts, err := partsOf(main)
	if err != nil {
		return nil, nil, err
	}

	workspace, account, _ := store.SplitAccount(id)

	if len(parts) > 0 { // a large account, and a rare one: it takes reads of its own
		v, err := a.read(ctx, partition, workspace, id)
		if err != nil || v.account == nil {
			return nil, nil, err
		}

		made := row(partition, account, v.account, v.set)
		made.At = column.Place{Cursor: v.cursor, Revision: math.MaxUint64} // it was read later than the others

		return made, v.account, nil
	}

	decoded, err := health.Decode(main, func(uint32) []byte { return nil })
	if err != nil {
		return nil, nil, unusable("an account", err)
	}

	set, err := a.setOf(ctx, partition, workspace, decoded.Result().SetVersion)
	if err != nil {
		return nil, nil, err
	}

	return row(partition, account, decoded, set), decoded, nil
}

// setOf returns a version of a workspace's scorecards; nil: it was in force too long ago to be kept. Versions never
// change, so it does not matter that this is a read of its own.
func (a *accounts) setOf(ctx context.Context, partition int, workspace string, version uint64) (*scorecard.Set, error) {
	if set := a.sets.get(workspace, version); set != nil {
		return set, nil
	}

	at, values, err := a.look(ctx, partition, []string{
		store.ScorecardsVersionKey(workspace, version), store.ScorecardsKey(workspace),
	})
	if err != nil {
		return nil, err
	}

	document := values[0]
	if document == nil && at.state.Version(workspace) == version { // an older Hale put it in force
		document = values[1]
	}

	if document == nil {
		return nil, nil //nolint:nilnil // rows then have no measures, and old scores no explanation
	}

	return a.sets.add(workspace, version, document)
}
