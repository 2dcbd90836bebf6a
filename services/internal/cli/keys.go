package cli

import (
	"context"
	"fmt"
	"io"
	"time"

	"github.com/spf13/cobra"
	"google.golang.org/protobuf/types/known/durationpb"

	adminv1 "hale.dev/proto/gen/hale/admin/v1"
	"hale.dev/services/internal/access"
)

type keyView struct {
	KeyID     string `json:"key_id"`
	Role      string `json:"role"`
	Name      string `json:"name"`
	CreatedAt string `json:"created_at"`
	CreatedBy string `json:"created_by"`
	ExpiresAt string `json:"expires_at"`
	// Rate, Burst and MaxBytes are the key's own limits.
	Rate     float64 `json:"rate"`
	Burst    int32   `json:"burst"`
	MaxBytes int64   `json:"max_request_bytes"`
	// Secret is the key itself, told once.
	Secret string `json:"secret,omitempty"`
}

func (a *app) keysCommand() *cobra.Command {
	return parent("keys", "Make, list, rotate and revoke the keys of the workspace",
		a.keysListCommand(), a.keysCreateCommand(), a.keysRotateCommand(), a.keysRevokeCommand())
}

// administer calls f with a client of the admin service, for as long as one request may take.
func (a *app) administer(ctx context.Context, f func(context.Context, adminv1.AdminServiceClient) error) error {
	ctx, cancel := a.settings.within(ctx)
	defer cancel()

	return a.admin(ctx, f)
}

func (a *app) keysListCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use: "list", Short: "List the keys; they themselves are not kept", Args: arguments(0, 0, "no arguments"),
		RunE: func(cmd *cobra.Command, _ []string) error {
			return a.administer(cmd.Context(), func(ctx context.Context, c adminv1.AdminServiceClient) error {
				r, err := c.ListKeys(ctx, &adminv1.ListKeysRequest{})
				if err != nil {
					return fmt.Errorf("listing keys: %w", err)
				}

				keys := make([]keyView, 0, len(r.GetKeys()))
				for _, k := range r.GetKeys() {
					keys = append(keys, viewKey(k, ""))
				}

				return many(a.printer(), keys, drawKeys(keys))
			})
		},
	}
	a.flags(cmd, readFlags()...)

	return cmd
}

func (a *app) keysCreateCommand() *cobra.Command {
	var (
		q      = &adminv1.CreateKeyRequest{}
		limits = &adminv1.KeyLimits{}
		role   string
		ttl    time.Duration
	)

	cmd := &cobra.Command{
		Use: "create NAME", Short: "Make a key; it is shown this once", Args: arguments(1, 1, "what the key is for"),
		Example: "  hale keys create 'checkout service' --role ingest\n  hale keys create grafana --role viewer --ttl 2160h",
		RunE: func(cmd *cobra.Command, args []string) error {
			q.Name, q.Role = args[0], roleNamed(role)
			if q.GetRole() == adminv1.Role_ROLE_UNSPECIFIED {
				return usageError("--role %q: must be ingest, viewer, operator or admin", role)
			}

			if ttl != 0 {
				q.TimeToLive = durationpb.New(ttl)
			}

			for _, name := range []string{"rate", "burst", "max-bytes"} {
				if cmd.Flags().Changed(name) {
					q.Limits = limits
				}
			}

			return a.administer(cmd.Context(), func(ctx context.Context, c adminv1.AdminServiceClient) error {
				r, err := c.CreateKey(ctx, q)
				if err != nil {
					return fmt.Errorf("making a key: %w", err)
				}

				return a.showKey(r.GetKey(), r.GetSecret())
			})
		},
	}
	a.flags(cmd, readFlags()...)
	cmd.Flags().StringVar(&role, "role", "viewer", "what it may do: ingest, viewer, operator or admin")
	cmd.Flags().DurationVar(&ttl, "ttl", 0, "for how long it opens anything; 0: for ever")
	cmd.Flags().Float64Var(&limits.Rate, "rate", 0, "requests a second that it may make; 0: no bound")
	cmd.Flags().Int32Var(&limits.Burst, "burst", 0, "requests at once; 0: as many as --rate")
	cmd.Flags().Int64Var(&limits.MaxRequestBytes, "max-bytes", 0, "bytes of a request; 0: no bound")

	return cmd
}

func (a *app) keysRotateCommand() *cobra.Command {
	var grace, ttl time.Duration

	cmd := &cobra.Command{
		Use: "rotate ID", Short: "Make a key in place of another, which goes on for a while",
		Args:    arguments(1, 1, "the key's id"),
		Example: "  hale keys rotate 0123456789ab --grace 168h",
		RunE: func(cmd *cobra.Command, args []string) error {
			q := &adminv1.RotateKeyRequest{KeyId: args[0], Grace: durationpb.New(grace)}
			if ttl != 0 {
				q.TimeToLive = durationpb.New(ttl)
			}

			return a.administer(cmd.Context(), func(ctx context.Context, c adminv1.AdminServiceClient) error {
				r, err := c.RotateKey(ctx, q)
				if err != nil {
					return fmt.Errorf("rotating key %q: %w", q.GetKeyId(), err)
				}

				a.sayf("key %s ends at %s", r.GetOldKey().GetKeyId(), seconds(timeText(r.GetOldKey().GetExpiresAt())))

				return a.showKey(r.GetKey(), r.GetSecret())
			})
		},
	}
	a.flags(cmd, readFlags()...)

	const day = 24 * time.Hour

	cmd.Flags().DurationVar(&grace, "grace", day, "for how long the old key goes on")
	cmd.Flags().DurationVar(&ttl, "ttl", 0, "for how long the new key opens anything; 0: until the end of the old one")

	return cmd
}

func (a *app) keysRevokeCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use: "revoke ID", Short: "End a key at once", Args: arguments(1, 1, "the key's id"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.administer(cmd.Context(), func(ctx context.Context, c adminv1.AdminServiceClient) error {
				if _, err := c.RevokeKey(ctx, &adminv1.RevokeKeyRequest{KeyId: args[0]}); err != nil {
					return fmt.Errorf("revoking key %q: %w", args[0], err)
				}

				a.sayf("key %s is revoked", args[0])

				return nil
			})
		},
	}
	a.flags(cmd, connectFlags()...)

	return cmd
}

// showKey writes a new key: what is known of it, and the key itself.
func (a *app) showKey(k *adminv1.Key, secret string) error {
	v := viewKey(k, secret)

	return a.printer().one(v, func(w io.Writer) error {
		if err := drawKeys([]keyView{v})(w); err != nil {
			return err
		}

		_, err := fmt.Fprintf(w, "\n%s\n", secret)

		return err //nolint:wrapcheck // a failed write to stdout says it all
	})
}

func roleNamed(name string) adminv1.Role {
	return adminv1.Role(access.ParseRole(name))
}

func viewKey(k *adminv1.Key, secret string) keyView {
	return keyView{
		KeyID: k.GetKeyId(), Role: enumName(k.GetRole().String(), "ROLE_"), Name: k.GetName(),
		CreatedAt: timeText(k.GetCreatedAt()), CreatedBy: k.GetCreatedBy(), ExpiresAt: timeText(k.GetExpiresAt()),
		Rate: k.GetLimits().GetRate(), Burst: k.GetLimits().GetBurst(), MaxBytes: k.GetLimits().GetMaxRequestBytes(),
		Secret: secret,
	}
}

func drawKeys(keys []keyView) func(io.Writer) error {
	return func(w io.Writer) error {
		t := table{columns: []column{{name: "KEY"}, {name: "ROLE"}, {name: "NAME"}, {name: "CREATED"}, {name: "EXPIRES"}}}
		for _, k := range keys {
			t.add(k.KeyID, k.Role, dash(k.Name), seconds(k.CreatedAt), dash(seconds(k.ExpiresAt)))
		}

		return t.write(w)
	}
}
