package query_test

import (
	"context"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/reflection/grpc_reflection_v1"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"
	"google.golang.org/protobuf/types/dynamicpb"
	"google.golang.org/protobuf/types/known/durationpb"
	"google.golang.org/protobuf/types/known/timestamppb"

	adminv1 "hale.dev/proto/gen/hale/admin/v1"
	alertv1 "hale.dev/proto/gen/hale/alert/v1"
	healthv1 "hale.dev/proto/gen/hale/health/v1"
	"hale.dev/services/internal/access"
	"hale.dev/services/internal/access/oidc"
	"hale.dev/services/internal/access/oidc/oidctest"
	"hale.dev/services/query"
)

// permitted is what a method needs, and a request of the home workspace's account acme.
type permitted struct {
	least access.Role
	req   proto.Message
	// installation says that the method concerns the whole installation.
	installation bool
}

// permittedMethods has a line for every method that the service offers.
func permittedMethods(keyID, alert, silence string) map[string]permitted {
	const viewer, operator, admin = access.RoleViewer, access.RoleOperator, access.RoleAdmin

	acme := "acme"

	return map[string]permitted{
		"hale.health.v1.HealthService.GetHealth":      {viewer, &healthv1.GetHealthRequest{AccountId: acme}, false},
		"hale.health.v1.HealthService.BatchGetHealth": {viewer, &healthv1.BatchGetHealthRequest{AccountIds: []string{acme}}, false},
		"hale.health.v1.HealthService.GetHistory":     {viewer, &healthv1.GetHistoryRequest{AccountId: acme}, false},
		"hale.health.v1.HealthService.CompareHealth":  {viewer, &healthv1.CompareHealthRequest{AccountId: acme}, false},
		"hale.health.v1.HealthService.GetFacts":       {viewer, &healthv1.GetFactsRequest{AccountId: acme}, false},
		"hale.health.v1.HealthService.GetReport":      {viewer, &healthv1.GetReportRequest{AccountId: acme}, false},
		"hale.health.v1.HealthService.ListAccounts":   {viewer, &healthv1.ListAccountsRequest{}, false},
		"hale.health.v1.HealthService.WatchHealth":    {viewer, &healthv1.WatchHealthRequest{Snapshot: true}, false},
		"hale.health.v1.HealthService.GetPortfolio":   {viewer, &healthv1.GetPortfolioRequest{}, false},
		"hale.health.v1.HealthService.ListRejects":    {viewer, &healthv1.ListRejectsRequest{}, false},
		"hale.health.v1.HealthService.GetSegment":     {viewer, &healthv1.GetSegmentRequest{Name: "big"}, false},
		"hale.health.v1.HealthService.ListSegments":   {viewer, &healthv1.ListSegmentsRequest{}, false},
		"hale.health.v1.HealthService.ListGoals":      {viewer, &healthv1.ListGoalsRequest{AccountId: acme}, false},
		"hale.health.v1.HealthService.SetSegment": {operator, &healthv1.SetSegmentRequest{
			Segment: &healthv1.Segment{Name: "big", Filter: "arr > 1"},
		}, false},
		"hale.health.v1.HealthService.DeleteSegment": {operator, &healthv1.DeleteSegmentRequest{Name: "big"}, false},
		"hale.health.v1.HealthService.SetOverride": {operator, &healthv1.SetOverrideRequest{
			AccountId: acme, Score: 1, Reason: "because", ExpireDate: "2026-03-11",
		}, false},
		"hale.health.v1.HealthService.ClearOverride": {operator, &healthv1.ClearOverrideRequest{AccountId: acme}, false},
		"hale.health.v1.HealthService.SetPulse":      {operator, &healthv1.SetPulseRequest{AccountId: acme, Pulse: 3}, false},
		"hale.health.v1.HealthService.SetGoal": {operator, &healthv1.SetGoalRequest{
			AccountId: acme, Goal: &healthv1.Goal{Title: "grow", Measure: "active_users", Target: 80, DueDate: "2026-06-01"},
		}, false},
		"hale.health.v1.HealthService.DeleteGoal": {operator, &healthv1.DeleteGoalRequest{AccountId: acme, GoalId: "g"}, false},

		"hale.alert.v1.AlertService.ListAlerts":       {viewer, &alertv1.ListAlertsRequest{}, false},
		"hale.alert.v1.AlertService.GetAlert":         {viewer, &alertv1.GetAlertRequest{AlertId: alert}, false},
		"hale.alert.v1.AlertService.WatchAlerts":      {viewer, &alertv1.WatchAlertsRequest{Snapshot: true}, false},
		"hale.alert.v1.AlertService.ListSilences":     {viewer, &alertv1.ListSilencesRequest{}, false},
		"hale.alert.v1.AlertService.AcknowledgeAlert": {operator, &alertv1.AcknowledgeAlertRequest{AlertId: alert}, false},
		"hale.alert.v1.AlertService.SnoozeAlert": {operator, &alertv1.SnoozeAlertRequest{
			AlertId: alert, Duration: durationpb.New(time.Hour),
		}, false},
		"hale.alert.v1.AlertService.ResolveAlert": {operator, &alertv1.ResolveAlertRequest{AlertId: alert}, false},
		"hale.alert.v1.AlertService.AssignAlert":  {operator, &alertv1.AssignAlertRequest{AlertId: alert, Assignee: "ann"}, false},
		"hale.alert.v1.AlertService.CommentAlert": {operator, &alertv1.CommentAlertRequest{AlertId: alert, Comment: "c"}, false},
		"hale.alert.v1.AlertService.CreateSilence": {operator, &alertv1.CreateSilenceRequest{Silence: &alertv1.Silence{
			Matchers: []*alertv1.Matcher{{Field: "rule", Value: "x"}}, Comment: "c", EndTime: timestamppb.New(time.Now().Add(time.Hour)),
		}}, false},
		"hale.alert.v1.AlertService.ExpireSilence": {operator, &alertv1.ExpireSilenceRequest{SilenceId: silence}, false},

		"hale.admin.v1.AdminService.GetScorecards":     {admin, &adminv1.GetScorecardsRequest{}, false},
		"hale.admin.v1.AdminService.CheckScorecards":   {admin, &adminv1.CheckScorecardsRequest{Document: "x"}, false},
		"hale.admin.v1.AdminService.ApplyScorecards":   {admin, &adminv1.ApplyScorecardsRequest{Document: "x"}, false},
		"hale.admin.v1.AdminService.GetRules":          {admin, &adminv1.GetRulesRequest{}, false},
		"hale.admin.v1.AdminService.CheckRules":        {admin, &adminv1.CheckRulesRequest{Document: "x"}, false},
		"hale.admin.v1.AdminService.ApplyRules":        {admin, &adminv1.ApplyRulesRequest{Document: "x"}, false},
		"hale.admin.v1.AdminService.TestRules":         {admin, &adminv1.TestRulesRequest{}, false},
		"hale.admin.v1.AdminService.ResendRejects":     {admin, &adminv1.ResendRejectsRequest{Ids: []uint64{1}}, false},
		"hale.admin.v1.AdminService.GetReceivers":      {admin, &adminv1.GetReceiversRequest{}, false},
		"hale.admin.v1.AdminService.CheckReceivers":    {admin, &adminv1.CheckReceiversRequest{Document: "{}"}, false},
		"hale.admin.v1.AdminService.ApplyReceivers":    {admin, &adminv1.ApplyReceiversRequest{Document: "receivers: []"}, false},
		"hale.admin.v1.AdminService.ListDeadLetters":   {admin, &adminv1.ListDeadLettersRequest{}, false},
		"hale.admin.v1.AdminService.ResendDeadLetters": {admin, &adminv1.ResendDeadLettersRequest{LetterIds: []string{"x"}}, false},
		"hale.admin.v1.AdminService.TailEvents":        {admin, &adminv1.TailEventsRequest{}, false},
		"hale.admin.v1.AdminService.ListPartitions":    {admin, &adminv1.ListPartitionsRequest{}, true},
		"hale.admin.v1.AdminService.ListSnapshots":     {admin, &adminv1.ListSnapshotsRequest{}, true},
		"hale.admin.v1.AdminService.CreateSnapshot":    {admin, &adminv1.CreateSnapshotRequest{}, true},
		"hale.admin.v1.AdminService.RestoreSnapshot":   {admin, &adminv1.RestoreSnapshotRequest{}, true},
		"hale.admin.v1.AdminService.StartRebuild":      {admin, &adminv1.StartRebuildRequest{}, true},
		"hale.admin.v1.AdminService.AbortTask":         {admin, &adminv1.AbortTaskRequest{}, true},
		"hale.admin.v1.AdminService.ListTasks":         {admin, &adminv1.ListTasksRequest{}, true},
		"hale.admin.v1.AdminService.WatchTasks":        {admin, &adminv1.WatchTasksRequest{}, true},
		"hale.admin.v1.AdminService.CreateKey":         {admin, &adminv1.CreateKeyRequest{Role: adminv1.Role_ROLE_VIEWER, Name: "k"}, false},
		"hale.admin.v1.AdminService.ListKeys":          {admin, &adminv1.ListKeysRequest{}, false},
		"hale.admin.v1.AdminService.RotateKey":         {admin, &adminv1.RotateKeyRequest{KeyId: keyID}, false},
		"hale.admin.v1.AdminService.RevokeKey":         {admin, &adminv1.RevokeKeyRequest{KeyId: keyID}, false},
	}
}

// offered lists all methods of all services that the server tells of.
func offered(w *world) []protoreflect.MethodDescriptor {
	w.tb.Helper()

	stream, err := grpc_reflection_v1.NewServerReflectionClient(w.dial()).ServerReflectionInfo(w.tb.Context())
	require.NoError(w.tb, err)
	require.NoError(w.tb, stream.Send(&grpc_reflection_v1.ServerReflectionRequest{
		MessageRequest: &grpc_reflection_v1.ServerReflectionRequest_ListServices{},
	}))

	answer, err := stream.Recv()
	require.NoError(w.tb, err)

	var all []protoreflect.MethodDescriptor

	for _, s := range answer.GetListServicesResponse().GetService() {
		if strings.HasPrefix(s.GetName(), "grpc.") {
			continue
		}

		d, err := protoregistry.GlobalFiles.FindDescriptorByName(protoreflect.FullName(s.GetName()))
		require.NoError(w.tb, err)

		methods := d.(protoreflect.ServiceDescriptor).Methods()
		for i := range methods.Len() {
			all = append(all, methods.Get(i))
		}
	}

	return all
}

// moment is for how long a method is called that may take for ever: one that watches, or waits for the scoring service.
const moment = 300 * time.Millisecond

// call calls a method, for a while, and returns its first answer as text, and its code.
func call(
	ctx context.Context, conn *grpc.ClientConn, m protoreflect.MethodDescriptor, req proto.Message, while time.Duration,
) (string, codes.Code) {
	ctx, cancel := context.WithTimeout(ctx, while)
	defer cancel()

	stream, err := conn.NewStream(ctx, &grpc.StreamDesc{ServerStreams: true},
		"/"+string(m.Parent().FullName())+"/"+string(m.Name()))
	if err != nil {
		return "", status.Code(err)
	}

	if err := stream.SendMsg(req); err == nil {
		_ = stream.CloseSend()
	}

	answer := dynamicpb.NewMessage(m.Output())
	if err := stream.RecvMsg(answer); err != nil {
		return status.Convert(err).Message(), status.Code(err)
	}

	return protojson.Format(answer), codes.OK
}

// named says whether a request has a field.
func named(req proto.Message, field protoreflect.Name) bool {
	return req.ProtoReflect().Descriptor().Fields().ByName(field) != nil
}

// withTokens also lets those in whom an issuer has given a token.
func withTokens(tb testing.TB, issuer *oidctest.Issuer) option {
	tb.Helper()

	tokens, err := oidc.New(oidc.Config{
		Issuer: issuer.URL, Audience: oidctest.Audience, WorkspaceClaim: "workspace", Roles: oidctest.Roles(),
	}, oidc.Options{})
	require.NoError(tb, err)

	return func(_ *query.Config, d *query.Deps) {
		d.Keyring, err = access.Open(tb.Context(), d.Settings, access.WithTokens(tokens))
		require.NoError(tb, err)
	}
}

// TestPermissions calls every method that the service offers with every role, and with an admin of another workspace
// that names what is of the first: with keys, and with tokens.
func TestPermissions(t *testing.T) {
	t.Parallel()

	issuer := oidctest.New(t)
	w := start(t, openMemory(t), withTokens(t, issuer))
	w.score(home, "acme", noon(), 0, used("acme"))

	foreign := w.newKey("abroad", access.RoleAdmin)
	w.opens(foreign, codes.OK)

	t.Run("keys", func(t *testing.T) {
		t.Parallel()
		w.requirePermissions(t, func(r access.Role) string { return w.keys[r] }, foreign)
	})

	t.Run("tokens", func(t *testing.T) {
		t.Parallel()
		w.requirePermissions(t, func(r access.Role) string { return issuer.For(home, r) }, issuer.For("abroad", access.RoleAdmin))
	})
}

// requirePermissions calls every method with what each role has to show, and with what a foreign admin has.
func (w *world) requirePermissions(t *testing.T, credential func(access.Role) string, foreign string) {
	t.Helper()

	roles := []access.Role{access.RoleNone, access.RoleIngest, access.RoleViewer, access.RoleOperator, access.RoleAdmin}
	alert := newDecider(w).fire(home, "acme", "at_risk")
	silence, err := w.alert().CreateSilence(w.as(access.RoleOperator), silencing(`rule="at_risk"`, time.Hour))
	require.NoError(t, err)

	conn, known := w.dial(), permittedMethods(
		access.KeyID(access.Hash(w.keys[access.RoleViewer])), alert, silence.GetSilence().GetSilenceId())

	for _, m := range offered(w) {
		p, ok := known[string(m.FullName())]
		require.True(t, ok, "%s has no line in permittedMethods", m.FullName())
		delete(known, string(m.FullName()))

		allowed := p.least.AtLeast()

		for _, role := range roles {
			ctx := t.Context()
			if role != access.RoleNone {
				ctx = withKey(ctx, credential(role))
			}

			if role == access.RoleAdmin && strings.HasSuffix(string(m.Name()), "Key") && m.Name() != "CreateKey" {
				continue // it would end the key of this test
			}

			while := patience
			if slices.Contains(allowed, role) {
				while = moment
			}

			text, code := call(ctx, conn, m, p.req, while)

			switch {
			case role == access.RoleNone:
				require.Equal(t, codes.Unauthenticated, code, "%s without a key", m.FullName())
			case slices.Contains(allowed, role):
				require.NotContains(t, []codes.Code{codes.Unauthenticated, codes.PermissionDenied}, code, "%s as %s: %s", m.FullName(), role, text)
				require.NotContains(t, text, "not implemented", m.FullName())
			default:
				require.Equal(t, codes.PermissionDenied, code, "%s as %s", m.FullName(), role)
			}
		}

		while := patience
		if m.IsStreamingServer() && !p.installation {
			while = moment
		}

		text, code := call(withKey(t.Context(), foreign), conn, m, p.req, while)
		if p.installation {
			require.Equal(t, codes.PermissionDenied, code, "%s from abroad", m.FullName())
			require.Contains(t, text, "only admins of the workspace default")

			continue
		}

		require.NotEqual(t, codes.PermissionDenied, code, "%s from abroad: %s", m.FullName(), text)

		if code == codes.OK {
			require.NotContains(t, strings.ReplaceAll(text, `"missingAccountIds"`, ""), `"accountId": "acme"`, m.FullName())
			require.NotContains(t, text, access.KeyID(access.Hash(w.keys[access.RoleViewer])), m.FullName())
		}

		if named(p.req, "account_id") || m.Name() == "RotateKey" || named(p.req, "alert_id") || named(p.req, "silence_id") || m.Name() == "RevokeKey" {
			require.Equal(t, codes.NotFound, code, "%s from abroad: %s", m.FullName(), text)
		}
	}

	require.Empty(t, known, "lines of methods that are not there")
}
