package health_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	eventv1 "hale.dev/proto/gen/hale/event/v1"

	"hale.dev/services/internal/health"
	"hale.dev/services/internal/scorecard"
)

// noPulse is a touch whose pulse is 0.
func noPulse() *eventv1.Event {
	ev := touch(meeting, 1)
	zero := int32(0)
	ev.GetInteraction().Pulse = &zero
	return ev
}

func TestRefusals(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("x", 1025)
	text := func(f func(*eventv1.Account, *string), s string) *eventv1.Event {
		return account(func(a *eventv1.Account) { f(a, &s) })
	}
	amount := func(f func(*eventv1.Account, *int64), n int64) *eventv1.Event {
		return account(func(a *eventv1.Account) { f(a, &n) })
	}
	traits := func(name string) *eventv1.Event {
		return account(func(a *eventv1.Account) { a.Traits = []*eventv1.Trait{{Name: name}} })
	}
	for name, c := range map[string]struct {
		ev          *eventv1.Event
		code, field string
	}{
		"no body":                  {&eventv1.Event{}, health.CodeMissingBody, ""},
		"a long user id":           {login(long), health.CodeInvalidValue, "user_id"},
		"no feature":               {usage("u", ""), health.CodeInvalidValue, "usage.feature"},
		"a negative quantity":      {usage("u", "f", -1), health.CodeInvalidValue, "usage.quantity_micros"},
		"too large a quantity":     {usage("u", "f", 1e15+1), health.CodeInvalidValue, "usage.quantity_micros"},
		"no ticket id":             {ticket("", opened), health.CodeInvalidValue, "ticket.ticket_id"},
		"no ticket action":         {ticket("t", 0), health.CodeInvalidValue, "ticket.action"},
		"an unknown ticket action": {ticket("t", 7), health.CodeInvalidValue, "ticket.action"},
		"an unknown severity":      {ticket("t", opened, severity(5)), health.CodeInvalidValue, "ticket.severity"},
		"a rating of 6":            {ticket("t", opened, rating(6)), health.CodeInvalidValue, "ticket.rating"},
		"no survey type":           {sent(0), health.CodeInvalidValue, "survey.type"},
		"an unknown survey type":   {sent(4), health.CodeInvalidValue, "survey.type"},
		"no survey action":         {survey("", &eventv1.Survey{Type: nps}), health.CodeInvalidValue, "survey.action"},
		"an unknown survey action": {survey("", &eventv1.Survey{Type: nps, Action: 3}), health.CodeInvalidValue, "survey.action"},
		"an nps of 11":             {answered("", nps, 11, 0), health.CodeInvalidValue, "survey.score"},
		"an nps of -1":             {answered("", nps, -1, 0), health.CodeInvalidValue, "survey.score"},
		"a csat of 0":              {answered("", csat, 0, 0), health.CodeInvalidValue, "survey.score"},
		"a csat of 6 of 5":         {answered("", csat, 6, 5), health.CodeInvalidValue, "survey.score"},
		"a ces on a scale of 5":    {answered("", ces, 3, 5), health.CodeInvalidValue, "survey.scale"},
		"an answer without score": {
			survey("", &eventv1.Survey{Type: nps, Action: eventv1.Survey_ACTION_ANSWERED}), health.CodeInvalidValue, "survey.score",
		},
		"a day that is none":     {created("2026-02-30"), health.CodeInvalidDate, "account.created_date"},
		"a churn date of blanks": {churn(""), health.CodeInvalidDate, "account.churn_date"},
		"a renewal in month 13":  {renewal("2026-13-01"), health.CodeInvalidDate, "account.renewal_date"},
		"a term of 0 days":       {term(0), health.CodeInvalidValue, "account.term_days"},
		"negative seats":         {seats(-1), health.CodeInvalidValue, "account.seats"},
		"negative revenue":       {amount(func(a *eventv1.Account, n *int64) { a.ArrMicros = n }, -1), health.CodeInvalidValue, "account.arr_micros"},
		"a stage of churned":     {text(func(a *eventv1.Account, s *string) { a.Stage = s }, "churned"), health.CodeInvalidValue, "account.stage"},
		"clearing what is not":   {cleared("color"), health.CodeUnknownField, "account.clear"},
		"clearing no trait":      {cleared("traits."), health.CodeUnknownField, "account.clear"},
		"a trait without value":  {traits("x"), health.CodeInvalidValue, "account.traits"},
		"a user without id":      {role("", "champion"), health.CodeMissingUser, "user_id"},
		"a long role":            {role("u", long), health.CodeInvalidValue, "user.role"},
		"a long previous id":     {joined("u", long), health.CodeInvalidValue, "user.previous_user_id"},
		"a pulse of 0":           {noPulse(), health.CodeInvalidValue, "interaction.pulse"},
		"an unknown interaction": {touch(5, 1), health.CodeInvalidValue, "interaction.kind"},
		"no kind and no pulse":   {touch(0, 0), health.CodeInvalidValue, "interaction"},
	} {
		t.Run(name+" is refused and leaves no trace", func(t *testing.T) {
			t.Parallel()
			a := apply(t, health.New(), on(1, login("u")))
			before := a.Encode(nil, nil)
			c.ev.MessageId = "m"
			r := a.Apply(c.ev, today().Start())
			require.NotNil(t, r)
			require.Equal(t, c.code, r.Code)
			require.Equal(t, c.field, r.Field)
			require.NotEmpty(t, r.String())
			require.Equal(t, before, a.Encode(nil, nil))
		})
	}
}

func TestTooMany(t *testing.T) {
	t.Parallel()
	refused := func(t *testing.T, a *health.Account, ev *eventv1.Event, code string) {
		t.Helper()
		ev.MessageId = "one more"
		r := a.Apply(ev, today().Start())
		require.NotNil(t, r)
		require.Equal(t, code, r.Code)
	}
	t.Run("roles", func(t *testing.T) {
		t.Parallel()
		a := apply(t, health.New(), repeated(1000, func(i int) fact { return on(1, role(fmt.Sprint("u", i), "admin")) })...)
		a = again(t, a)
		refused(t, a, role("another", "admin"), health.CodeTooManyRoles)
		require.Nil(t, a.Apply(role("u7", "champion"), today().Start()), "a user who has one may change it")
		require.Nil(t, a.Apply(role("u8", ""), today().Start()))
		require.Nil(t, a.Apply(role("another", "admin"), today().Start()))
		refused(t, a, role("u8", "admin"), health.CodeTooManyRoles)
		require.Nil(t, a.Apply(joined("u9", "u10"), today().Start()))
		require.Nil(t, a.Apply(role("u8", "admin"), today().Start()), "joining two made room")
	})
	t.Run("traits", func(t *testing.T) {
		t.Parallel()
		trait := func(i int) *eventv1.Event {
			return account(func(a *eventv1.Account) {
				a.Traits = []*eventv1.Trait{{Name: fmt.Sprint("t", i), Value: &eventv1.Trait_Flag{Flag: true}}}
			})
		}
		a := apply(t, health.New(), repeated(256, func(i int) fact { return on(1, trait(i)) })...)
		a = again(t, a)
		refused(t, a, trait(256), health.CodeTooManyTraits)
		require.Nil(t, a.Apply(trait(3), today().Start()))
		require.Len(t, a.Profile().Traits, 256)
	})
	t.Run("tickets", func(t *testing.T) {
		t.Parallel()
		set := standard(t)
		a := apply(t, health.New(), repeated(20_000, func(i int) fact {
			if i < 3 {
				return fact{90 + i, 0, ticket(fmt.Sprint("t", i), closed)}
			}
			return on(40, ticket(fmt.Sprint("t", i), opened))
		})...)
		require.Equal(t, known(2*19_997*one), a.Measures(set)[scorecard.OpenTickets])
		a = again(t, a)
		for i := range 3 { // three are past and make room
			require.Nil(t, a.Apply(ticket(fmt.Sprint("new", i), opened), today().Start()))
		}
		refused(t, a, ticket("another", opened), health.CodeTooManyTickets)
		refused(t, a, ticket("another", opened), health.CodeTooManyTickets)
		require.Nil(t, a.Apply(ticket("t5", closed), today().Start()), "known tickets go on")
		refused(t, a, ticket("another", opened), health.CodeTooManyTickets)
		a.Roll(today()+90, set, func(health.Row) {})
		require.Nil(t, a.Apply(ticket("another", opened), today().Start()), "the one closed is past now")
		require.Equal(t, known(2*20_000*one), a.Measures(set)[scorecard.OpenTickets])
	})
}
