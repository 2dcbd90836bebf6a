package query

import (
	"context"
	"errors"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/protobuf/types/known/durationpb"
	"google.golang.org/protobuf/types/known/timestamppb"

	adminv1 "hale.dev/proto/gen/hale/admin/v1"
	"hale.dev/services/internal/access"
	"hale.dev/services/internal/settings"
)

const (
	// defaultGrace is for how long a key goes on after another took its place.
	defaultGrace = 24 * time.Hour
	// maxKeys bounds the keys of a workspace.
	maxKeys = 1000
)

// CreateKey implements AdminService.
func (a *adminServer) CreateKey(
	ctx context.Context, req *adminv1.CreateKeyRequest,
) (*adminv1.CreateKeyResponse, error) {
	role := access.Role(req.GetRole()) //nolint:gosec // checked: one of a few
	k := settings.Key{Role: role.String(), Name: req.GetName(), Limits: limitsOf(req.GetLimits())}

	if ttl := req.GetTimeToLive(); ttl != nil {
		k.Expires = a.in(ttl)
	}

	secret, err := a.newKey(ctx, &k)
	if err != nil {
		return nil, err
	}

	return &adminv1.CreateKeyResponse{Key: keyInfo(&k), Secret: secret}, nil
}

// newKey makes a key of the caller's workspace and stores what is known of it.
func (a *adminServer) newKey(ctx context.Context, k *settings.Key) (secret string, err error) {
	p, ok := access.FromContext(ctx)
	if !ok {
		return "", access.ErrMissingKey
	}

	all, err := a.keys(ctx)
	if err != nil {
		return "", err
	}

	if len(all) >= maxKeys {
		return "", &Error{
			Code: codes.FailedPrecondition, Reason: reasonKeysFull, Message: "the workspace has 1,000 keys already: revoke some",
		}
	}

	secret = access.NewKey(access.ParseRole(k.Role))
	k.Hash, k.Workspace, k.Created, k.CreatedBy = access.Hash(secret), p.Workspace, a.service.deps.now().UTC(), p.KeyID

	if err := a.service.deps.Settings.PutKey(ctx, *k); err != nil {
		return "", unavailable(reasonSettings, "the settings cannot be written now", err)
	}

	return secret, nil
}

// keys returns the keys of the caller's workspace.
func (a *adminServer) keys(ctx context.Context) ([]settings.StoredKey, error) {
	ws, err := workspace(ctx)
	if err != nil {
		return nil, err
	}

	all, err := a.service.deps.Settings.Keys(ctx, ws)
	if err != nil {
		return nil, unavailable(reasonSettings, "the settings do not answer", err)
	}

	return all, nil
}

// key returns a key of the caller's workspace.
func (a *adminServer) key(ctx context.Context, id string) (*settings.StoredKey, []settings.StoredKey, error) {
	all, err := a.keys(ctx)
	if err != nil {
		return nil, nil, err
	}

	for i := range all {
		if access.KeyID(all[i].Hash) == id {
			return &all[i], all, nil
		}
	}

	return nil, nil, &Error{Code: codes.NotFound, Reason: reasonKey, Message: "the workspace has no such key"}
}

// ListKeys implements AdminService.
func (a *adminServer) ListKeys(ctx context.Context, _ *adminv1.ListKeysRequest) (*adminv1.ListKeysResponse, error) {
	all, err := a.keys(ctx)
	if err != nil {
		return nil, err
	}

	answer := &adminv1.ListKeysResponse{Keys: make([]*adminv1.Key, len(all))}
	for i := range all {
		answer.Keys[i] = keyInfo(&all[i].Key)
	}

	return answer, nil
}

// RotateKey implements AdminService. The new key is there before the old one begins to end.
func (a *adminServer) RotateKey(
	ctx context.Context, req *adminv1.RotateKeyRequest,
) (*adminv1.RotateKeyResponse, error) {
	old, all, err := a.key(ctx, req.GetKeyId())
	if err != nil {
		return nil, err
	}

	k := settings.Key{Role: access.ParseRole(old.Role).String(), Name: old.Name, Limits: old.Limits, Expires: old.Expires}
	if ttl := req.GetTimeToLive(); ttl != nil {
		k.Expires = a.in(ttl)
	}

	if err := a.rotates(old, all, &k); err != nil {
		return nil, err
	}

	secret, err := a.newKey(ctx, &k)
	if err != nil {
		return nil, err
	}

	grace := req.GetGrace()
	if grace == nil {
		grace = durationpb.New(defaultGrace)
	}

	if ends := a.in(grace); old.Expires == nil || ends.Before(*old.Expires) {
		old.Expires = ends
	}

	if err := a.service.deps.Settings.UpdateKey(ctx, *old); err != nil {
		err = errors.Join(err, a.service.deps.Settings.DeleteKey(ctx, k.Hash)) // nobody has seen the new one
		if errors.Is(err, settings.ErrKeyChanged) {
			return nil, &Error{
				Code: codes.Aborted, Reason: reasonKeyChanged, Message: "somebody else changed the key meanwhile", cause: err,
			}
		}

		return nil, unavailable(reasonSettings, "the settings cannot be written now", err)
	}

	return &adminv1.RotateKeyResponse{Key: keyInfo(&k), Secret: secret, OldKey: keyInfo(&old.Key)}, nil
}

// rotates says why a key cannot take the place of another.
func (a *adminServer) rotates(old *settings.StoredKey, all []settings.StoredKey, k *settings.Key) error {
	switch {
	case k.Expires == nil:
		return nil
	case !a.service.deps.now().Before(*k.Expires):
		return &Error{
			Code: codes.FailedPrecondition, Reason: reasonKeyEnded,
			Message: "the key has come to its end, and so would the new one: say how long it is to live",
		}
	case lastAdmin(old, all):
		return errLastAdmin("this is the last admin key that does not end, and the new one would: make another one first")
	default:
		return nil
	}
}

// RevokeKey implements AdminService.
func (a *adminServer) RevokeKey(
	ctx context.Context, req *adminv1.RevokeKeyRequest,
) (*adminv1.RevokeKeyResponse, error) {
	k, all, err := a.key(ctx, req.GetKeyId())
	if err != nil {
		return nil, err
	}

	if lastAdmin(k, all) {
		return nil, errLastAdmin("this is the last admin key that does not end: make another one first")
	}

	if err := a.service.deps.Settings.DeleteKey(ctx, k.Hash); err != nil {
		return nil, unavailable(reasonSettings, "the settings cannot be written now", err)
	}

	return &adminv1.RevokeKeyResponse{}, nil
}

// lastAdmin reports whether a key is the only one of all that an admin can count on.
func lastAdmin(k *settings.StoredKey, all []settings.StoredKey) bool {
	admins := 0

	for i := range all {
		if lasting(&all[i]) {
			admins++
		}
	}

	return lasting(k) && admins == 1
}

func errLastAdmin(message string) *Error {
	return &Error{Code: codes.FailedPrecondition, Reason: reasonLastAdmin, Message: message}
}

// lasting reports whether a key is one of an admin that does not end: only those can be counted on.
func lasting(k *settings.StoredKey) bool {
	return access.ParseRole(k.Role) == access.RoleAdmin && k.Expires == nil
}

// in is the time after a while.
func (a *adminServer) in(d *durationpb.Duration) *time.Time {
	t := a.service.deps.now().UTC().Add(d.AsDuration())

	return &t
}

// limitsOf reads the limits of a request; nil: what the configuration says.
func limitsOf(l *adminv1.KeyLimits) *settings.KeyLimits {
	if l == nil {
		return nil
	}

	return &settings.KeyLimits{Rate: l.GetRate(), Burst: int(l.GetBurst()), MaxBytes: l.GetMaxRequestBytes()}
}

// keyInfo is what is known of a key in answers.
func keyInfo(k *settings.Key) *adminv1.Key {
	out := &adminv1.Key{
		KeyId: access.KeyID(k.Hash), Role: adminv1.Role(access.ParseRole(k.Role)), Name: k.Name,
		CreatedAt: timestamppb.New(k.Created), CreatedBy: k.CreatedBy,
	}

	if k.Expires != nil {
		out.ExpiresAt = timestamppb.New(*k.Expires)
	}

	if l := k.Limits; l != nil {
		out.Limits = &adminv1.KeyLimits{
			Rate: l.Rate, Burst: int32(l.Burst), MaxRequestBytes: l.MaxBytes, //nolint:gosec // at most 1,000,000
		}
	}

	return out
}
