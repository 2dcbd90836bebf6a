package cli

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	adminv1 "hale.dev/proto/gen/hale/admin/v1"
)

func (a *app) rebuildCommand() *cobra.Command {
	const kind = adminv1.TaskKind_TASK_KIND_REBUILD

	wait := true
	cmd := parent("rebuild", "Fold the whole log again, beside what is live, and put the outcome in its place",
		a.statusCommand("Show how far the last rebuild is", kind),
		a.abortCommand("Give the rebuild under way up; what is live stays", kind))
	cmd.Long = "Folds the whole log again into a draft while what is live goes on serving, and then puts the\n" +
		"draft in its place. Nobody is alerted of what changes by it. Needed after a change of how measures\n" +
		"are computed; changed weights, curves and bands take effect without it.\n\n" +
		"Interrupting this command does not interrupt the rebuild: `hale rebuild abort` does."
	cmd.Example = "  hale rebuild\n  hale rebuild --wait=false && hale rebuild status"
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		return a.admin(cmd.Context(), func(ctx context.Context, c adminv1.AdminServiceClient) error {
			asking, cancel := a.settings.within(ctx)
			defer cancel()

			r, err := c.StartRebuild(asking, &adminv1.StartRebuildRequest{})
			if err != nil {
				return advised(fmt.Errorf("starting a rebuild: %w", err), kind)
			}

			return a.finish(ctx, c, r.GetTaskId(), wait, drawTasks)
		})
	}
	a.flags(cmd, readFlags()...)
	cmd.Flags().BoolVar(&wait, "wait", true, "wait for the end, and show how far it is")

	return cmd
}
