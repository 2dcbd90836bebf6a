package cli

import (
	"context"

	"github.com/goccy/go-yaml"
	"github.com/spf13/cobra"
)

// The `kind` of files that hold settings of a workspace.
const (
	kindScorecards = "scorecards"
	kindReceivers  = "receivers"
)

func (a *app) applyCommand() *cobra.Command {
	var files []string

	cmd := &cobra.Command{
		Use: "apply -f FILE...", Short: "Put settings kept as files in force; `kind:` says what a file is",
		Args:    arguments(0, 0, "files by -f"),
		Example: "  hale apply -f scorecards.yaml",
		RunE: func(cmd *cobra.Command, _ []string) error {
			if len(files) == 0 {
				return usageError("name a file with -f, or - for stdin")
			}

			docs := make([][]byte, len(files))

			for i, name := range files { // all are read before the first is applied
				doc, err := a.read(name, maxDocument)
				if err != nil {
					return err
				}

				if _, err := kindOf(name, doc); err != nil {
					return err
				}

				docs[i] = doc
			}

			done := make([]appliedView, 0, len(files))

			for i, name := range files {
				v, err := a.applyDocument(cmd.Context(), name, docs[i])
				if err != nil {
					return err
				}

				done = append(done, v)
			}

			return a.printApplied(done)
		},
	}
	a.flags(cmd, readFlags()...)
	cmd.Flags().StringArrayVarP(&files, "file", "f", nil, "file, or - for stdin; may be given again")

	return cmd
}

// applyDocument puts a document of any kind in force.
func (a *app) applyDocument(ctx context.Context, name string, doc []byte) (appliedView, error) {
	kind, err := kindOf(name, doc)
	if err != nil {
		return appliedView{}, err
	}

	return a.appliers()[kind](ctx, name, doc)
}

// appliers puts a document of a kind in force.
func (a *app) appliers() map[string]func(context.Context, string, []byte) (appliedView, error) {
	return map[string]func(context.Context, string, []byte) (appliedView, error){
		kindScorecards: a.applyScorecards,
		kindReceivers:  a.applyReceivers,
	}
}

// kinds of files that can be applied.
func applyKinds() string { return kindReceivers + " or " + kindScorecards }

// kindOf refuses a file that does not say it is something Hale can apply.
func kindOf(name string, doc []byte) (string, error) {
	var head struct {
		Kind string `yaml:"kind"`
	}

	if err := yaml.Unmarshal(doc, &head); err != nil {
		return "", refused("%s: not YAML: %w", name, err)
	}

	switch head.Kind {
	case kindScorecards, kindReceivers:
		return head.Kind, nil
	case "":
		return "", refused("%s: no `kind:`; it must be %s", name, applyKinds())
	default:
		return "", refused("%s: kind %q is not known; it must be %s", name, head.Kind, applyKinds())
	}
}
