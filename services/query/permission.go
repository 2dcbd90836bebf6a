package query

import (
	"strings"

	adminv1 "hale.dev/proto/gen/hale/admin/v1"
	alertv1 "hale.dev/proto/gen/hale/alert/v1"
	healthv1 "hale.dev/proto/gen/hale/health/v1"
	"hale.dev/services/internal/access"
)

// permission is what a method needs of its caller.
type permission struct {
	// least is the least that the caller must be.
	least access.Role
	// installation says that the method concerns all workspaces.
	installation bool
}

// permissions has a line for each method. What does not stand here, nobody may call.
type permissions map[string]permission

// newPermissions is who may do what.
func newPermissions() permissions {
	var (
		viewer       = permission{least: access.RoleViewer}
		operator     = permission{least: access.RoleOperator}
		admin        = permission{least: access.RoleAdmin}
		installation = permission{least: access.RoleAdmin, installation: true}
	)

	return permissions{
		healthv1.HealthService_GetHealth_FullMethodName:       viewer,
		healthv1.HealthService_BatchGetHealth_FullMethodName:  viewer,
		healthv1.HealthService_GetHistory_FullMethodName:      viewer,
		healthv1.HealthService_CompareHealth_FullMethodName:   viewer,
		healthv1.HealthService_GetFacts_FullMethodName:        viewer,
		healthv1.HealthService_GetReport_FullMethodName:       viewer,
		healthv1.HealthService_ListAccounts_FullMethodName:    viewer,
		healthv1.HealthService_WatchHealth_FullMethodName:     viewer,
		healthv1.HealthService_GetPortfolio_FullMethodName:    viewer,
		healthv1.HealthService_ListRejects_FullMethodName:     viewer,
		healthv1.HealthService_GetSegment_FullMethodName:      viewer,
		healthv1.HealthService_ListSegments_FullMethodName:    viewer,
		healthv1.HealthService_ListGoals_FullMethodName:       viewer,
		healthv1.HealthService_SetSegment_FullMethodName:      operator,
		healthv1.HealthService_DeleteSegment_FullMethodName:   operator,
		healthv1.HealthService_SetOverride_FullMethodName:     operator,
		healthv1.HealthService_ClearOverride_FullMethodName:   operator,
		healthv1.HealthService_SetPulse_FullMethodName:        operator,
		healthv1.HealthService_SetGoal_FullMethodName:         operator,
		healthv1.HealthService_DeleteGoal_FullMethodName:      operator,
		alertv1.AlertService_ListAlerts_FullMethodName:        viewer,
		alertv1.AlertService_GetAlert_FullMethodName:          viewer,
		alertv1.AlertService_WatchAlerts_FullMethodName:       viewer,
		alertv1.AlertService_ListSilences_FullMethodName:      viewer,
		alertv1.AlertService_AcknowledgeAlert_FullMethodName:  operator,
		alertv1.AlertService_SnoozeAlert_FullMethodName:       operator,
		alertv1.AlertService_ResolveAlert_FullMethodName:      operator,
		alertv1.AlertService_AssignAlert_FullMethodName:       operator,
		alertv1.AlertService_CommentAlert_FullMethodName:      operator,
		alertv1.AlertService_CreateSilence_FullMethodName:     operator,
		alertv1.AlertService_ExpireSilence_FullMethodName:     operator,
		adminv1.AdminService_GetScorecards_FullMethodName:     admin,
		adminv1.AdminService_CheckScorecards_FullMethodName:   admin,
		adminv1.AdminService_ApplyScorecards_FullMethodName:   admin,
		adminv1.AdminService_ResendRejects_FullMethodName:     admin,
		adminv1.AdminService_GetRules_FullMethodName:          admin,
		adminv1.AdminService_CheckRules_FullMethodName:        admin,
		adminv1.AdminService_ApplyRules_FullMethodName:        admin,
		adminv1.AdminService_TestRules_FullMethodName:         admin,
		adminv1.AdminService_GetReceivers_FullMethodName:      admin,
		adminv1.AdminService_CheckReceivers_FullMethodName:    admin,
		adminv1.AdminService_ApplyReceivers_FullMethodName:    admin,
		adminv1.AdminService_ListDeadLetters_FullMethodName:   admin,
		adminv1.AdminService_ResendDeadLetters_FullMethodName: admin,
		adminv1.AdminService_TailEvents_FullMethodName:        admin,
		adminv1.AdminService_ListPartitions_FullMethodName:    installation,
		adminv1.AdminService_ListSnapshots_FullMethodName:     installation,
		adminv1.AdminService_CreateSnapshot_FullMethodName:    installation,
		adminv1.AdminService_RestoreSnapshot_FullMethodName:   installation,
		adminv1.AdminService_StartRebuild_FullMethodName:      installation,
		adminv1.AdminService_AbortTask_FullMethodName:         installation,
		adminv1.AdminService_ListTasks_FullMethodName:         installation,
		adminv1.AdminService_WatchTasks_FullMethodName:        installation,
		adminv1.AdminService_CreateKey_FullMethodName:         admin,
		adminv1.AdminService_ListKeys_FullMethodName:          admin,
		adminv1.AdminService_RotateKey_FullMethodName:         admin,
		adminv1.AdminService_RevokeKey_FullMethodName:         admin,
	}
}

// rule returns what a method needs. Everyone may ask whether the server works and what it offers.
func (p permissions) rule(method string) access.Need {
	service, _, _ := strings.Cut(strings.TrimPrefix(method, "/"), "/")

	switch service {
	case "grpc.health.v1.Health", "grpc.reflection.v1.ServerReflection", "grpc.reflection.v1alpha.ServerReflection":
		return access.Need{}
	}

	return access.Need{Roles: p[method].least.AtLeast(), Installation: p[method].installation}
}
