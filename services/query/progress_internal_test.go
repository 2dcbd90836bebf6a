package query

import (
	"context"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"hale.dev/services/internal/access"
	"hale.dev/services/internal/scorecard"
	"hale.dev/services/internal/store"
	"hale.dev/services/query/internal/column"
)

func TestProgress(t *testing.T) {
	t.Parallel()

	t.Run("answers at once what is there", func(t *testing.T) {
		t.Parallel()

		p := newProgress(2)
		p.set(1, 7)
		require.NoError(t, p.wait(t.Context(), 1, 7))
		require.NoError(t, p.wait(t.Context(), 0, 0))
		require.False(t, p.anybody())
	})

	t.Run("wakes those it has reached, and no others", func(t *testing.T) {
		t.Parallel()

		p := newProgress(1)
		ctx, cancel := context.WithCancel(t.Context())

		var early, late sync.WaitGroup

		for s := range uint64(50) {
			early.Go(func() {
				if err := p.wait(t.Context(), 0, s); err != nil {
					t.Error(err)
				}
			})
			late.Go(func() {
				if err := p.wait(ctx, 0, 100+s); err == nil {
					t.Error("woken too early")
				}
			})
		}

		require.Eventually(t, p.anybody, time.Minute, time.Millisecond)

		for c := range uint64(60) {
			p.set(0, c)
		}

		early.Wait()
		cancel()
		late.Wait()
		require.False(t, p.anybody())
		require.Empty(t, p.parts[0].queue)
	})

	t.Run("may fall back", func(t *testing.T) {
		t.Parallel()

		p := newProgress(1)
		p.set(0, 9)
		p.set(0, 3)

		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		require.ErrorIs(t, p.wait(ctx, 0, 5), context.Canceled)
	})
}

func TestTask(t *testing.T) {
	t.Parallel()

	var older, newer chore

	older.add(store.Change{Cursor: 1, Accounts: []string{"a"}})
	older.add(store.Change{Cursor: 2, Lost: true})
	older.add(store.Change{Cursor: 3, Accounts: []string{"b", "b"}})
	require.True(t, older.fill)
	require.Equal(t, map[string]column.Place{"b": {Cursor: 3}}, older.accounts, "a fill reads what changed before it")
	require.Equal(t, uint64(2), older.lost.Cursor)

	newer.merge(older)
	require.Equal(t, older, newer, "nothing came since")

	newer = chore{}
	newer.add(store.Change{Cursor: 4, Accounts: []string{"c"}})
	newer.add(store.Change{Cursor: 4, Revision: 1, Accounts: []string{"c"}})
	newer.merge(older)
	require.True(t, newer.fill)
	require.Equal(t, column.Place{Cursor: 4, Revision: 1}, newer.at.Place)
	require.Equal(t, map[string]column.Place{"b": {Cursor: 3}, "c": {Cursor: 4, Revision: 1}}, newer.accounts)
	require.Equal(t, older.lost, newer.lost)
	require.Equal(t, older.since, newer.since)

	newer = chore{}
	newer.add(store.Change{Cursor: 5, Lost: true})
	newer.merge(older)
	require.Empty(t, newer.accounts)
	require.Equal(t, uint64(5), newer.lost.Cursor)
}

func TestDecimal(t *testing.T) {
	t.Parallel()

	for micros, want := range map[int64]string{
		0: "0", 1: "0.000001", -1: "-0.000001", 1_500_000: "1.5", -2_000_000: "-2",
		1<<63 - 1: "9223372036854.775807", -1 << 63: "-9223372036854.775808",
	} {
		require.Equal(t, want, decimal(micros))
	}

	require.Empty(t, traitText(scorecard.Trait{}))
}

func TestRule(t *testing.T) {
	t.Parallel()

	const viewer, operator, admin = access.RoleViewer, access.RoleOperator, access.RoleAdmin

	rule := newPermissions().rule
	require.Empty(t, rule("/grpc.health.v1.Health/Check"))
	require.Empty(t, rule("/grpc.reflection.v1.ServerReflection/ServerReflectionInfo"))
	require.Equal(t, access.Any(viewer, operator, admin), rule("/hale.health.v1.HealthService/GetHealth"))
	require.Equal(t, access.Any(operator, admin), rule("/hale.health.v1.HealthService/SetPulse"))
	require.Equal(t, access.Any(admin), rule("/hale.admin.v1.AdminService/ApplyScorecards"))
	require.Equal(t, access.Need{Roles: []access.Role{admin}, Installation: true}, rule("/hale.admin.v1.AdminService/StartRebuild"))
	require.Equal(t, access.Any(access.RoleNone), rule("/whatever.comes.Next/Do"), "what nobody thought of is for nobody")
}

func TestPatience(t *testing.T) {
	t.Parallel()

	require.Equal(t, time.Minute, patience(t.Context(), time.Minute))

	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()

	require.LessOrEqual(t, patience(ctx, time.Minute), 9*time.Second)
	require.Greater(t, patience(ctx, time.Minute), 5*time.Second)
}
