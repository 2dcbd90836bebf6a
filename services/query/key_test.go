package query_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/durationpb"

	adminv1 "hale.dev/proto/gen/hale/admin/v1"
	healthv1 "hale.dev/proto/gen/hale/health/v1"
	"hale.dev/services/internal/access"
)

// opens waits until a key opens what viewers may see, or is refused with a code.
func (w *world) opens(key string, want codes.Code) {
	w.tb.Helper()

	client := w.health()

	require.Eventually(w.tb, func() bool {
		_, err := client.ListAccounts(withKey(w.tb.Context(), key), &healthv1.ListAccountsRequest{})

		return status.Code(err) == want
	}, patience, time.Millisecond)
}

func TestKeys(t *testing.T) {
	t.Parallel()

	w := start(t, openMemory(t))
	admin, as := w.admin(), w.as(access.RoleAdmin)

	ids := func(ctx context.Context) map[string]*adminv1.Key {
		r, err := admin.ListKeys(ctx, &adminv1.ListKeysRequest{})
		require.NoError(t, err)

		all := map[string]*adminv1.Key{}
		for _, k := range r.GetKeys() {
			all[k.GetKeyId()] = k
		}

		return all
	}

	made, err := admin.CreateKey(as, &adminv1.CreateKeyRequest{
		Role: adminv1.Role_ROLE_OPERATOR, Name: "console", TimeToLive: durationpb.New(time.Hour),
		Limits: &adminv1.KeyLimits{Rate: 5, Burst: 7, MaxRequestBytes: 1000},
	})
	require.NoError(t, err)
	w.opens(made.GetSecret(), codes.OK)

	stored := ids(as)[made.GetKey().GetKeyId()]
	require.Equal(t, "console", stored.GetName())
	require.Equal(t, adminv1.Role_ROLE_OPERATOR, stored.GetRole())
	require.Equal(t, access.KeyID(access.Hash(w.keys[access.RoleAdmin])), stored.GetCreatedBy())
	require.InDelta(t, 5, stored.GetLimits().GetRate(), 0)
	require.Equal(t, int32(7), stored.GetLimits().GetBurst())
	require.Equal(t, int64(1000), stored.GetLimits().GetMaxRequestBytes())
	require.WithinDuration(t, time.Now().Add(time.Hour), stored.GetExpiresAt().AsTime(), time.Minute)

	t.Run("a rotated key goes on for a while, its follower is like it", func(t *testing.T) {
		r, err := admin.RotateKey(as, &adminv1.RotateKeyRequest{KeyId: made.GetKey().GetKeyId(), Grace: durationpb.New(0)})
		require.NoError(t, err)
		w.opens(r.GetSecret(), codes.OK)
		w.opens(made.GetSecret(), codes.Unauthenticated)
		require.Equal(t, "console", r.GetKey().GetName())
		require.InDelta(t, 5, r.GetKey().GetLimits().GetRate(), 0)
		require.WithinDuration(t, stored.GetExpiresAt().AsTime(), r.GetKey().GetExpiresAt().AsTime(), 0, "it ends when the old one would have")

		other, err := admin.RotateKey(as, &adminv1.RotateKeyRequest{
			KeyId: r.GetKey().GetKeyId(), TimeToLive: durationpb.New(48 * time.Hour),
		})
		require.NoError(t, err)
		require.WithinDuration(t, stored.GetExpiresAt().AsTime(), other.GetOldKey().GetExpiresAt().AsTime(), 0, "a grace gives no longer life")
		require.WithinDuration(t, time.Now().Add(48*time.Hour), other.GetKey().GetExpiresAt().AsTime(), time.Minute, "unless that is asked for")

		last, err := admin.RotateKey(as, &adminv1.RotateKeyRequest{KeyId: other.GetKey().GetKeyId()})
		require.NoError(t, err)
		require.WithinDuration(t, time.Now().Add(24*time.Hour), last.GetOldKey().GetExpiresAt().AsTime(), time.Minute)
		w.opens(last.GetSecret(), codes.OK)
		w.opens(other.GetSecret(), codes.OK)
		w.opens(r.GetSecret(), codes.OK)
	})

	t.Run("a key that has ended passes no end on", func(t *testing.T) {
		_, err := admin.RotateKey(as, &adminv1.RotateKeyRequest{KeyId: made.GetKey().GetKeyId()})
		requireError(t, err, codes.FailedPrecondition, "KEY_ENDED")

		r, err := admin.RotateKey(as, &adminv1.RotateKeyRequest{
			KeyId: made.GetKey().GetKeyId(), TimeToLive: durationpb.New(time.Hour),
		})
		require.NoError(t, err)
		w.opens(r.GetSecret(), codes.OK)

		_, err = admin.RotateKey(as, &adminv1.RotateKeyRequest{KeyId: made.GetKey().GetKeyId(), TimeToLive: durationpb.New(0)})
		requireError(t, err, codes.InvalidArgument, "REQUEST_INVALID")
	})

	t.Run("a revoked key opens nothing", func(t *testing.T) {
		k, err := admin.CreateKey(as, &adminv1.CreateKeyRequest{Role: adminv1.Role_ROLE_VIEWER, Name: "short"})
		require.NoError(t, err)
		w.opens(k.GetSecret(), codes.OK)

		_, err = admin.RevokeKey(as, &adminv1.RevokeKeyRequest{KeyId: k.GetKey().GetKeyId()})
		require.NoError(t, err)
		w.opens(k.GetSecret(), codes.Unauthenticated)

		_, err = admin.RevokeKey(as, &adminv1.RevokeKeyRequest{KeyId: k.GetKey().GetKeyId()})
		requireError(t, err, codes.NotFound, "KEY_NOT_FOUND")
	})

	t.Run("the last admin key stays", func(t *testing.T) {
		own := access.KeyID(access.Hash(w.keys[access.RoleAdmin]))
		_, err := admin.CreateKey(as, &adminv1.CreateKeyRequest{
			Role: adminv1.Role_ROLE_ADMIN, Name: "ends", TimeToLive: durationpb.New(time.Hour),
		})
		require.NoError(t, err)

		_, err = admin.RevokeKey(as, &adminv1.RevokeKeyRequest{KeyId: own})
		requireError(t, err, codes.FailedPrecondition, "LAST_ADMIN_KEY")

		_, err = admin.RotateKey(as, &adminv1.RotateKeyRequest{KeyId: own, TimeToLive: durationpb.New(time.Hour)})
		requireError(t, err, codes.FailedPrecondition, "LAST_ADMIN_KEY")
	})

	t.Run("another workspace sees none of them", func(t *testing.T) {
		foreign := w.newKey("abroad", access.RoleAdmin)
		w.opens(foreign, codes.OK)
		require.Len(t, ids(withKey(t.Context(), foreign)), 1)

		_, err := admin.RotateKey(withKey(t.Context(), foreign), &adminv1.RotateKeyRequest{KeyId: made.GetKey().GetKeyId()})
		requireError(t, err, codes.NotFound, "KEY_NOT_FOUND")
	})

	t.Run("a key is held to its limits", func(t *testing.T) {
		k, err := admin.CreateKey(as, &adminv1.CreateKeyRequest{
			Role: adminv1.Role_ROLE_VIEWER, Name: "slow", Limits: &adminv1.KeyLimits{Rate: 0.001, Burst: 1, MaxRequestBytes: 10},
		})
		require.NoError(t, err)
		w.opens(k.GetSecret(), codes.OK) // the one that it has

		client := w.health()
		ctx := withKey(t.Context(), k.GetSecret())

		_, err = client.ListAccounts(ctx, &healthv1.ListAccountsRequest{})
		requireError(t, err, codes.ResourceExhausted, "RATE_LIMITED")

		_, err = client.GetHealth(ctx, &healthv1.GetHealthRequest{AccountId: "a name of more than ten bytes"})
		requireError(t, err, codes.ResourceExhausted, "REQUEST_TOO_LARGE")
	})
}
