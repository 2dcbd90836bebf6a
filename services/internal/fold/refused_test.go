package fold_test

import (
	"fmt"
	"maps"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/types/known/timestamppb"

	eventv1 "hale.dev/proto/gen/hale/event/v1"
	logv1 "hale.dev/proto/gen/hale/log/v1"
	"hale.dev/services/internal/health"
	"hale.dev/services/internal/store"
)

// role gives a user of account a role.
func role(id, user string, at time.Time) *logv1.Record {
	name := "admin"
	return event(&eventv1.Event{
		MessageId: id, AccountId: "a", UserId: user, OccurredAt: timestamppb.New(at),
		Body: &eventv1.Event_User{User: &eventv1.User{Role: &name}},
	})
}

// roles fill account a with all the roles it can hold, at one time, in a load or not.
func roles(load string, at time.Time) []*logv1.Record {
	var records []*logv1.Record
	for i := range 1000 {
		records = append(records, historical(load, role(fmt.Sprint("r", i), fmt.Sprint("u", i), at)))
	}
	return records
}

// bad is an event whose content is refused.
func bad(id string, at time.Time) *logv1.Record {
	r := usage(id, "a", at)
	r.GetEvent().GetUsage().Feature = ""
	return r
}

func TestRefused(t *testing.T) {
	t.Parallel()
	later := start.Add(50 * time.Hour)
	t.Run("an event refused for what it says makes no account", func(t *testing.T) {
		t.Parallel()
		r := newRig(t)
		r.send(start, bad("1", start), historical("l", bad("2", start)))
		c := r.commit()
		require.Equal(t, []string{"invalid_value", "invalid_value"}, codes(r.refused))
		require.Empty(t, c.Put)
		require.Empty(t, c.Changed)
		require.Zero(t, r.p.Accounts)
		require.Empty(t, r.p.Loads)
	})
	for name, c := range map[string]struct {
		refused *logv1.Record
		code    string
	}{
		"of its content":              {bad("x", start), "invalid_value"},
		"the account has no room":     {role("x", "one more", start), "too_many_roles"},
		"of its content, in a load":   {historical("l", bad("x", start)), "invalid_value"},
		"of no room for it in a load": {historical("l", role("x", "one more", start)), "too_many_roles"},
	} {
		t.Run("an event does nothing if refused because "+name, func(t *testing.T) {
			t.Parallel()
			r, calm := newRig(t), newRig(t)
			for _, rig := range []*rig{r, calm} {
				rig.send(start, roles(c.refused.GetEvent().GetHistorical(), start)...)
				rig.send(start.Add(30*time.Minute), tick())
				rig.commit()
			}
			before := maps.Clone(r.values)
			r.send(start.Add(50*time.Minute), c.refused)
			require.False(t, r.p.Touched(store.Account("w", "a")))
			r.commit()
			require.Equal(t, []string{c.code}, codes(r.refused))
			require.Equal(t, before, r.values)
			calm.send(start.Add(50*time.Minute), tick())
			for _, rig := range []*rig{r, calm} {
				rig.send(start.Add(time.Hour), tick()) // the load closes
				rig.send(later, tick())
				rig.sweep(100)
				rig.commit()
			}
			require.Equal(t, health.DayOf(later.UnixMicro()), r.account("a").Day())
			require.Equal(t, calm.values, r.values)
		})
	}
	t.Run("there is room or not, whether a sweep has rolled the account or not", func(t *testing.T) {
		t.Parallel()
		for _, swept := range []bool{false, true} {
			r := newRig(t)
			r.send(start, roles("", start)...)
			r.send(later, tick())
			if swept {
				r.sweep(100)
			}
			r.send(later, role("x", "one more", later), role("y", "u7", later))
			r.sweep(100)
			r.commit()
			require.Equal(t, []string{"too_many_roles"}, codes(r.refused))
			require.EqualValues(t, 1001, r.p.Counted)
		}
	})
	t.Run("an account without room stays in its load", func(t *testing.T) {
		t.Parallel()
		r := newRig(t)
		past := start.Add(-90 * 24 * time.Hour)
		r.send(start, roles("l", past)...)
		r.send(start, role("x", "one more", start))
		require.Equal(t, "l", r.account("a").Load())
		require.Equal(t, health.DayOf(past.UnixMicro()), r.account("a").Day())
		require.False(t, r.account("a").Live())
	})
}
