package query_test

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/timestamppb"

	alertv1 "hale.dev/proto/gen/hale/alert/v1"
	"hale.dev/services/internal/access"
	"hale.dev/services/internal/matcher"
)

// silencing asks for a silence of what matches a matcher, from now on.
func silencing(text string, d time.Duration) *alertv1.CreateSilenceRequest {
	m, err := matcher.Parse(text)
	if err != nil {
		panic(err)
	}

	return &alertv1.CreateSilenceRequest{Silence: &alertv1.Silence{
		Matchers: []*alertv1.Matcher{m.Proto()}, EndTime: timestamppb.New(time.Now().Add(d)), Comment: "they know",
	}}
}

func TestSilences(t *testing.T) {
	t.Parallel()

	w, d, client := alertWorld(t)
	ctx := w.as(access.RoleOperator)
	quiet := d.fire(home, "acme", "at_risk")
	loud := d.fire(home, "acme", "ticket_spike")
	abroad := w.newKey("abroad", access.RoleOperator)

	made, err := client.CreateSilence(ctx, silencing(`rule="at_risk"`, time.Hour))
	require.NoError(t, err)

	one := made.GetSilence()
	require.NotEmpty(t, one.GetSilenceId())
	require.Equal(t, access.KeyID(access.Hash(w.keys[access.RoleOperator])), one.GetAuthor())
	require.WithinDuration(t, time.Now(), one.GetStartTime().AsTime(), patience)

	silenced := func(id string) []string {
		got, err := client.GetAlert(ctx, &alertv1.GetAlertRequest{AlertId: id})
		require.NoError(t, err)

		return got.GetAlert().GetSilencedBy()
	}

	require.Equal(t, []string{one.GetSilenceId()}, silenced(quiet))
	require.Empty(t, silenced(loud))

	list, err := client.ListAlerts(ctx, &alertv1.ListAlertsRequest{Filter: "rule = at_risk"})
	require.NoError(t, err)
	require.Equal(t, []string{one.GetSilenceId()}, list.GetAlerts()[0].GetSilencedBy())

	acked, err := client.AcknowledgeAlert(ctx, &alertv1.AcknowledgeAlertRequest{AlertId: quiet})
	require.NoError(t, err)
	require.Equal(t, []string{one.GetSilenceId()}, acked.GetAlert().GetSilencedBy())

	require.Eventually(t, func() bool {
		_, err = client.ExpireSilence(withKey(t.Context(), abroad), &alertv1.ExpireSilenceRequest{SilenceId: one.GetSilenceId()})

		return err != nil && status.Code(err) == codes.NotFound
	}, patience, time.Millisecond, "a silence of another workspace")

	ended, err := client.ExpireSilence(ctx, &alertv1.ExpireSilenceRequest{SilenceId: one.GetSilenceId()})
	require.NoError(t, err)
	require.False(t, ended.GetSilence().GetEndTime().AsTime().After(time.Now()))
	require.Empty(t, silenced(quiet))

	again, err := client.ExpireSilence(ctx, &alertv1.ExpireSilenceRequest{SilenceId: one.GetSilenceId()})
	require.NoError(t, err)
	require.Equal(t, ended.GetSilence().GetEndTime().AsTime(), again.GetSilence().GetEndTime().AsTime())

	shown, err := client.ListSilences(ctx, &alertv1.ListSilencesRequest{})
	require.NoError(t, err)
	require.Empty(t, shown.GetSilences())

	shown, err = client.ListSilences(ctx, &alertv1.ListSilencesRequest{ShowExpired: true})
	require.NoError(t, err)
	require.Len(t, shown.GetSilences(), 1)
}

func TestSilencesThatCannotBe(t *testing.T) {
	t.Parallel()

	w, _, client := alertWorld(t)

	for name, edit := range map[string]func(*alertv1.Silence){
		"a field that alerts do not have": func(s *alertv1.Silence) { s.Matchers[0].Field = "mood" },
		"no regular expression": func(s *alertv1.Silence) {
			s.Matchers[0].Operator, s.Matchers[0].Value = alertv1.Matcher_OPERATOR_MATCH, "("
		},
		"nothing to match":      func(s *alertv1.Silence) { s.Matchers = nil },
		"no reason":             func(s *alertv1.Silence) { s.Comment = "" },
		"an end that is past":   func(s *alertv1.Silence) { s.EndTime = timestamppb.New(time.Now().Add(-time.Minute)) },
		"an end before a start": func(s *alertv1.Silence) { s.StartTime = timestamppb.New(s.GetEndTime().AsTime().Add(time.Hour)) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()

			req := silencing(`rule="at_risk"`, time.Hour)
			edit(req.GetSilence())

			_, err := client.CreateSilence(w.as(access.RoleOperator), req)
			require.NotEmpty(t, requireError(t, err, codes.InvalidArgument, "REQUEST_INVALID"))
		})
	}
}

func TestSilencesFitOneAnswer(t *testing.T) {
	t.Parallel()

	w, _, client := alertWorld(t)

	large := silencing(`rule="at_risk"`, time.Hour)
	for len(large.GetSilence().GetMatchers()) < 20 {
		large.Silence.Matchers = append(large.Silence.Matchers, &alertv1.Matcher{Field: "owner", Value: strings.Repeat("m", 1024)})
	}

	stored := 0

	for ; ; stored++ {
		require.Less(t, stored, 500)

		if _, err := client.CreateSilence(w.as(access.RoleOperator), large); err != nil {
			requireError(t, err, codes.ResourceExhausted, "SILENCES_FULL")

			break
		}
	}

	all, err := client.ListSilences(w.as(access.RoleViewer), &alertv1.ListSilencesRequest{})
	require.NoError(t, err)
	require.Len(t, all.GetSilences(), stored)

	_, err = client.CreateSilence(w.as(access.RoleOperator), silencing(`rule="at_risk"`, time.Hour))
	require.NoError(t, err, "a small one still fits")
}
