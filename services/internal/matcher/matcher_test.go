package matcher_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	alertv1 "hale.dev/proto/gen/hale/alert/v1"
	healthv1 "hale.dev/proto/gen/hale/health/v1"
	"hale.dev/services/internal/matcher"
)

func alert() *alertv1.Alert {
	return &alertv1.Alert{
		Rule: "inactive", Severity: alertv1.Severity_SEVERITY_CRITICAL, AccountId: "acme", Source: "usage", Assignee: "bo",
		Subject: &alertv1.Subject{
			Owner: "ann", Segment: "big", Plan: "pro", Stage: healthv1.Stage_STAGE_CHURNED, Band: healthv1.Band_BAND_AT_RISK,
		},
		Labels: map[string]string{"team": "emea"},
	}
}

func TestMatches(t *testing.T) {
	t.Parallel()

	for text, want := range map[string]bool{
		`severity="critical"`:    true,
		`severity=critical`:      true,
		`severity="warning"`:     false,
		`severity!="warning"`:    true,
		`severity!="critical"`:   false,
		`owner=~"a.*"`:           true,
		`owner=~"n"`:             false,
		`owner=~"x|ann"`:         true,
		`owner=~"a|nn"`:          false,
		`owner!~"a.*"`:           false,
		`owner!~"b.*"`:           true,
		` rule = "inactive" `:    true,
		`account_id="acme"`:      true,
		`source=usage`:           true,
		`assignee=bo`:            true,
		`segment="big"`:          true,
		`plan="pro"`:             true,
		`stage="churned"`:        true,
		`band="at_risk"`:         true,
		`label.team="emea"`:      true,
		`label.other=""`:         true,
		`label.other=~".+"`:      false,
		"label.team=`emea`":      true,
		`label.team=""`:          false,
		`account_id!~"acme|b c"`: false,
	} {
		m, err := matcher.Parse(text)
		require.NoError(t, err, text)
		require.Equal(t, want, m.Matches(alert()), text)

		again, err := matcher.Parse(m.String())
		require.NoError(t, err, m.String())
		require.Equal(t, m, again, "the text form says all")

		again, err = matcher.New(m.Proto())
		require.NoError(t, err)
		require.Equal(t, m, again, "the proto says all")
	}

	m, err := matcher.Parse("severity=")
	require.NoError(t, err)
	require.True(t, m.Matches(&alertv1.Alert{}), "what is not said is empty")

	m, err = matcher.New(&alertv1.Matcher{Field: "rule", Value: "inactive"})
	require.NoError(t, err)
	require.True(t, m.Matches(alert()), "no operator is equal")
}

func TestAll(t *testing.T) {
	t.Parallel()

	yes, err := matcher.Parse("rule=inactive")
	require.NoError(t, err)
	no, err := matcher.Parse("rule=other")
	require.NoError(t, err)

	require.True(t, matcher.All(nil, alert()))
	require.True(t, matcher.All([]matcher.Matcher{yes, yes}, alert()))
	require.False(t, matcher.All([]matcher.Matcher{yes, no}, alert()))
}

func TestRefused(t *testing.T) {
	t.Parallel()

	for text, want := range map[string]error{
		``:               matcher.ErrSyntax,
		`severity`:       matcher.ErrSyntax,
		`severity!`:      matcher.ErrSyntax,
		`owner="a" b`:    matcher.ErrSyntax,
		`owner="a`:       matcher.ErrSyntax,
		`colour="red"`:   matcher.ErrField,
		`="red"`:         matcher.ErrField,
		`label.="red"`:   matcher.ErrField,
		`owner=~"("`:     matcher.ErrRegexp,
		`owner=~"a)(b"`:  matcher.ErrRegexp,
		`owner!~"a{9,1"`: nil,
	} {
		_, err := matcher.Parse(text)
		require.ErrorIs(t, err, want, text)
	}

	_, err := matcher.New(&alertv1.Matcher{Field: "rule", Operator: 9})
	require.ErrorIs(t, err, matcher.ErrOperator)
}
