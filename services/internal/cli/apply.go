package cli

import (
	"github.com/goccy/go-yaml"
	"github.com/spf13/cobra"
)

// kindScorecards is the `kind` of the file that holds a workspace's scorecards.
const kindScorecards = "scorecards"

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

				if err := checkKind(name, doc); err != nil {
					return err
				}

				docs[i] = doc
			}

			done := make([]appliedView, 0, len(files))

			for i, name := range files {
				v, err := a.applyScorecards(cmd.Context(), name, docs[i])
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

// checkKind refuses a file that does not say it is something Hale can apply.
func checkKind(name string, doc []byte) error {
	var head struct {
		Kind string `yaml:"kind"`
	}

	if err := yaml.Unmarshal(doc, &head); err != nil {
		return refused("%s: not YAML: %w", name, err)
	}

	switch head.Kind {
	case kindScorecards:
		return nil
	case "":
		return refused("%s: no `kind:`; it must be %s", name, kindScorecards)
	default:
		return refused("%s: kind %q is not known; it must be %s", name, head.Kind, kindScorecards)
	}
}
