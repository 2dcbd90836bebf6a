package chain

import (
	"slices"
	"strconv"
	"strings"

	"google.golang.org/protobuf/types/known/timestamppb"

	alertv1 "hale.dev/proto/gen/hale/alert/v1"
	"hale.dev/services/internal/alert"
	"hale.dev/services/internal/oracle"
	"hale.dev/services/internal/rule"
	"hale.dev/services/internal/scorecard"
)

// differ counts what the oracle, which is made from docs/alerts.md by another hand, decides otherwise than the plain fold.
func differ(want *decided) int {
	agreed, differ := 0, 0
	for n, messages := range want.messages {
		for _, trail := range oracle.Replay(messages, secondOptions(n)).Alerts() {
			for i := range trail {
				if same(&trail[i], want.transitions[trail[i].AlertID+"-"+strconv.Itoa(trail[i].Revision)]) {
					agreed++
				} else {
					differ++
				}
			}
		}
	}
	return max(differ, len(want.transitions)-agreed)
}

func secondOptions(partition int) oracle.Options {
	return oracle.Options{
		Shipped: scorecard.Shipped(), ShippedRules: rule.Shipped(), Partition: partition,
		Parse: func(version uint64, document []byte) (*scorecard.Set, error) {
			set, err := scorecard.Parse(document)
			if err == nil {
				set.Version = version
			}
			return set, err
		},
		ParseRules: func(version uint64, document []byte) (*rule.Set, error) {
			set, err := rule.Parse(document)
			if err == nil {
				set.Version = version
			}
			return set, err
		},
		AlertID: func(s oracle.Subject, rule string, fired int64) string {
			return alert.Key{Workspace: s.Workspace, Account: s.Account, Source: s.Source}.ID(rule, fired)
		},
	}
}

// same says whether both mean the same by a transition. Drivers are compared by the property tests of the oracle.
func same(o *oracle.Transition, t *alertv1.Transition) bool {
	a := t.GetAlert()
	return t != nil && o.Kind == kindName(t) && o.At == micros(t.GetAt()) && o.Author == t.GetAuthor() && o.Note == t.GetNote() &&
		o.CommandID == t.GetCommandId() && o.Account == a.GetAccountId() && o.Alert.Rule == a.GetRule() &&
		o.Alert.State == strings.ToLower(strings.TrimPrefix(a.GetState().String(), "STATE_")) &&
		slices.Equal(o.Alert.HeldBy, a.GetHeldBy()) && o.Alert.Escalation == int(a.GetEscalation()) &&
		o.Alert.Flapping == a.GetFlapping() && o.Alert.Assignee == a.GetAssignee() && o.Alert.TakenBy == a.GetAcknowledgedBy() &&
		o.Alert.Until == micros(a.GetSnoozeUntil()) && o.Alert.UntilWorse == a.GetSnoozeUntilWorse()
}

// micros is a time in microseconds; 0: unset.
func micros(t *timestamppb.Timestamp) int64 {
	if t == nil {
		return 0
	}
	return t.AsTime().UnixMicro()
}
