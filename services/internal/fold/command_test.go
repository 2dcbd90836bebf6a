package fold_test

import (
	"bytes"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	logv1 "hale.dev/proto/gen/hale/log/v1"
	"hale.dev/services/internal/fold"
	"hale.dev/services/internal/health"
	"hale.dev/services/internal/scorecard"
	"hale.dev/services/internal/store"
)

// command is a command about an account; change makes it one.
func command(id, account string, change func(*logv1.AccountCommand)) *logv1.Record {
	c := &logv1.AccountCommand{CommandId: id, AccountId: account, Author: "jo"}
	change(c)
	return &logv1.Record{Workspace: "w", Payload: &logv1.Record_AccountCommand{AccountCommand: c}}
}

func override(id, account string, score int64, last time.Time) *logv1.Record {
	return command(id, account, func(c *logv1.AccountCommand) {
		c.Command = &logv1.AccountCommand_SetOverride{SetOverride: &logv1.SetOverride{
			ScoreMicros: score, Reason: "they told me", LastDay: int32(health.DayOf(last.UnixMicro())),
		}}
	})
}

func clearOverride(id, account string) *logv1.Record {
	return command(id, account, func(c *logv1.AccountCommand) {
		c.Command = &logv1.AccountCommand_ClearOverride{ClearOverride: &logv1.ClearOverride{}}
	})
}

// goal is a goal of account a; change makes it another one.
func goal(id, goal string, change ...func(*logv1.SetGoal)) *logv1.Record {
	return command(id, "a", func(c *logv1.AccountCommand) {
		g := &logv1.SetGoal{
			GoalId: goal, Title: "use it", Measure: "features_used", TargetMicros: 2_000_000,
			DueDay: int32(health.DayOf(start.UnixMicro())) + 10,
		}
		for _, f := range change {
			f(g)
		}
		c.Command = &logv1.AccountCommand_SetGoal{SetGoal: g}
	})
}

func deleteGoal(id, goal string) *logv1.Record {
	return command(id, "a", func(c *logv1.AccountCommand) {
		c.Command = &logv1.AccountCommand_DeleteGoal{DeleteGoal: &logv1.DeleteGoal{GoalId: goal}}
	})
}

func TestCommands(t *testing.T) {
	t.Parallel()
	t.Run("set a score by hand, which ends", func(t *testing.T) {
		t.Parallel()
		r := newRig(t)
		r.send(start, usage("1", "a", start), override("c1", "a", 71_000_000, start.AddDate(0, 0, 1)))
		r.commit()
		r.reopen()
		require.Equal(t, &health.Override{
			Score: 71_000_000, Author: "jo", Reason: "they told me", SetAt: start.UnixMicro(),
			LastDay: health.DayOf(start.UnixMicro()) + 1,
		}, r.account("a").Override())
		r.send(start.AddDate(0, 0, 2), tick())
		r.sweep(100)
		require.Nil(t, r.account("a").Override())
		r.send(start.AddDate(0, 0, 2), override("c2", "a", 1, start.AddDate(0, 0, 9)))
		r.send(start.AddDate(0, 0, 2), clearOverride("c3", "a"))
		require.Nil(t, r.account("a").Override())
		require.EqualValues(t, 1, r.p.Counted, "commands are no events")
		require.Empty(t, r.refused)
	})
	t.Run("count once within the time that ids are remembered, and are no message ids", func(t *testing.T) {
		t.Parallel()
		r := newRig(t)
		r.send(start, usage("c1", "a", start), override("c1", "a", 1, start.AddDate(0, 0, 90)), override("c1", "a", 2, start.AddDate(0, 0, 90)))
		r.send(start, override("c2", "a", 3, start.AddDate(0, 0, 90)))
		r.commit()
		r.reopen()
		r.send(start.Add(time.Duration(fold.Horizon)*time.Microsecond), override("c1", "a", 4, start.AddDate(0, 0, 90)))
		require.EqualValues(t, 3, r.account("a").Override().Score)
		require.Zero(t, r.p.Duplicates)
		r.send(start.Add(time.Duration(fold.Horizon)*time.Microsecond+3*time.Hour), override("c1", "a", 5, start.AddDate(0, 0, 90)))
		require.EqualValues(t, 5, r.account("a").Override().Score)
	})
	t.Run("set goals, which the same message's evaluation begins", func(t *testing.T) {
		t.Parallel()
		r := newRig(t)
		r.send(start, usage("1", "a", start), goal("c1", "g"), goal("c2", "h", func(g *logv1.SetGoal) { g.Measure, g.Feature = "", "f" }))
		g := r.account("a").Goals()
		require.Equal(t, scorecard.Value{Micros: 1_000_000, Known: true}, g[0].Start)
		require.Equal(t, health.GoalOpen, g[0].State)
		require.Equal(t, health.GoalAchieved, g[1].State)
		require.Equal(t, "jo", g[0].Author)
		r.send(start, deleteGoal("c3", "h"))
		more := usage("2", "a", start)
		more.GetEvent().GetUsage().Feature = "more"
		r.send(start.AddDate(0, 0, 3), goal("c4", "g", func(g *logv1.SetGoal) { g.Title = "use more" }), more)
		r.commit()
		r.reopen()
		g = r.account("a").Goals()
		require.Len(t, g, 1)
		require.Equal(t, "use more", g[0].Title)
		require.Equal(t, health.DayOf(start.UnixMicro())+3, g[0].Achieved)
		require.Empty(t, r.refused)
	})
	t.Run("set goals, which begin by the scorecards that the same message puts in force", func(t *testing.T) {
		t.Parallel()
		r := newRig(t)
		milestones := bytes.Replace(scorecard.ShippedDocument(), []byte("\nmilestones: []"),
			[]byte("\nmilestones: [{feature: f, due_day: 0}, {feature: g, due_day: 0}]"), 1)
		r.send(start, usage("1", "a", start), goal("c1", "g", func(g *logv1.SetGoal) { g.Measure = "milestones" }), scorecards(2, milestones))
		r.commit()
		require.Empty(t, r.refused)
		require.Equal(t, scorecard.Value{Micros: 50_000_000, Known: true}, r.account("a").Goals()[0].Start)
	})
	t.Run("leave an account in its load", func(t *testing.T) {
		t.Parallel()
		r := newRig(t)
		past := start.AddDate(0, 0, -50)
		r.send(start, historical("l", usage("1", "a", past)), goal("c1", "g"), override("c2", "a", 1, start))
		a := r.account("a")
		require.Equal(t, "l", a.Load())
		require.Equal(t, health.DayOf(past.UnixMicro()), a.Day())
		require.Equal(t, health.DayOf(start.UnixMicro()), a.Goals()[0].Created)
		r.send(start, historical("l", usage("2", "a", past.AddDate(0, 0, 1))))
		require.Empty(t, codes(r.refused))
		require.NotNil(t, r.account("a").Override())
	})
	t.Run("roll the account to today first", func(t *testing.T) {
		t.Parallel()
		r := newRig(t)
		r.send(start, usage("1", "a", start))
		r.send(start.AddDate(0, 0, 3), override("c2", "a", 1, start.AddDate(0, 0, 9)))
		require.Equal(t, health.DayOf(start.UnixMicro())+3, r.account("a").Day())
		require.Contains(t, fold.Needs(&fold.Message{Records: []*logv1.Record{clearOverride("c", "b")}}), store.Account("w", "b"))
	})
}

func TestRefusedCommands(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("x", 1025)
	of := func(f func(*logv1.SetGoal)) *logv1.Record { return goal("c", "g", f) }
	for name, c := range map[string]struct {
		record      *logv1.Record
		code, field string
	}{
		"without an id":            {clearOverride("", "a"), "invalid_value", "command_id"},
		"with too long an id":      {clearOverride(long, "a"), "invalid_value", "command_id"},
		"without an account":       {clearOverride("c", ""), "invalid_value", "account_id"},
		"about nobody":             {clearOverride("c", "b"), "unknown_account", "account_id"},
		"that says nothing":        {command("c", "a", func(*logv1.AccountCommand) {}), "missing_body", ""},
		"by too long an author":    {command("c", "a", func(c *logv1.AccountCommand) { c.Author = long }), "invalid_value", "author"},
		"with nothing in it":       {command("c", "a", func(c *logv1.AccountCommand) { c.Command = &logv1.AccountCommand_SetGoal{} }), "invalid_value", "set_goal.goal_id"},
		"with a score below 0":     {override("c", "a", -1, start), "invalid_value", "set_override.score_micros"},
		"with a score over 100":    {override("c", "a", 100_000_001, start), "invalid_value", "set_override.score_micros"},
		"that is over already":     {override("c", "a", 1, start.AddDate(0, 0, -1)), "invalid_value", "set_override.last_day"},
		"that never ends":          {override("c", "a", 1, start.AddDate(8000, 0, 0)), "invalid_value", "set_override.last_day"},
		"with too long a title":    {of(func(g *logv1.SetGoal) { g.Title = long }), "invalid_value", "set_goal.title"},
		"about no measure":         {of(func(g *logv1.SetGoal) { g.Measure = "x" }), "invalid_value", "set_goal.measure"},
		"about nothing":            {of(func(g *logv1.SetGoal) { g.Measure = "" }), "invalid_value", "set_goal"},
		"about two things":         {of(func(g *logv1.SetGoal) { g.Feature = "f" }), "invalid_value", "set_goal"},
		"with too long a feature":  {of(func(g *logv1.SetGoal) { g.Feature = long }), "invalid_value", "set_goal.feature"},
		"with too large a target":  {of(func(g *logv1.SetGoal) { g.TargetMicros = 1 << 62 }), "invalid_value", "set_goal.target_micros"},
		"with too small a target":  {of(func(g *logv1.SetGoal) { g.TargetMicros = -1 << 62 }), "invalid_value", "set_goal.target_micros"},
		"due before there was day": {of(func(g *logv1.SetGoal) { g.DueDay = -1 }), "invalid_value", "set_goal.due_day"},
		"due after all days":       {of(func(g *logv1.SetGoal) { g.DueDay = 1 << 30 }), "invalid_value", "set_goal.due_day"},
		"to drop what is not":      {deleteGoal("c", "h"), "unknown_goal", "delete_goal.goal_id"},
		"to drop without an id":    {deleteGoal("c", ""), "invalid_value", "delete_goal.goal_id"},
		"for a 21st goal":          {goal("c", "another"), "too_many_goals", "set_goal.goal_id"},
	} {
		t.Run("a command "+name+" leaves no trace but its refusal", func(t *testing.T) {
			t.Parallel()
			r := newRig(t)
			records := []*logv1.Record{usage("1", "a", start)}
			for i := range health.MaxGoals {
				records = append(records, goal(fmt.Sprint("g", i), fmt.Sprint("g", i)))
			}
			r.send(start, records...)
			r.commit()
			before := r.values[store.AccountKey(store.Account("w", "a"))]
			r.send(start, c.record)
			commit := r.commit()
			require.Equal(t, []string{c.code}, codes(r.refused))
			require.Equal(t, c.field, r.refused[0].Field)
			require.NotEmpty(t, r.refused[0].Message)
			require.Empty(t, commit.Changed)
			require.Empty(t, commit.Append)
			require.Equal(t, before, r.values[store.AccountKey(store.Account("w", "a"))])
		})
	}
}
