package cli

import (
	"strings"

	"github.com/goccy/go-yaml"
	"github.com/spf13/cobra"
)

func (a *app) applyCommand() *cobra.Command {
	var files []string

	cmd := &cobra.Command{
		Use: "apply -f FILE...", Short: "Put settings kept as files in force; `kind:` says what a file is",
		Args:    arguments(0, 0, "files by -f"),
		Example: "  hale apply -f scorecards.yaml -f rules.yaml",
		RunE: func(cmd *cobra.Command, _ []string) error {
			if len(files) == 0 {
				return usageError("name a file with -f, or - for stdin")
			}

			docs, kinds := make([][]byte, len(files)), make([]documentKind, len(files))

			for i, name := range files { // all are read before the first is applied
				doc, err := a.read(name, maxDocument)
				if err != nil {
					return err
				}

				if kinds[i], err = kindOf(name, doc); err != nil {
					return err
				}

				docs[i] = doc
			}

			done := make([]appliedView, 0, len(files))

			for i, name := range files {
				v, err := a.applyDocument(cmd.Context(), kinds[i], name, docs[i])
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

// kindOf returns the kind that a file says it is; one that does not say it is something Hale can apply is refused.
func kindOf(name string, doc []byte) (documentKind, error) {
	var head struct {
		Kind string `yaml:"kind"`
	}

	if err := yaml.Unmarshal(doc, &head); err != nil {
		return documentKind{}, refused("%s: not YAML: %w", name, err)
	}

	var known []string

	for _, k := range documentKinds() {
		if k.kind == head.Kind {
			return k, nil
		}

		known = append(known, k.kind)
	}

	if head.Kind == "" {
		return documentKind{}, refused("%s: no `kind:`; it must be %s", name, strings.Join(known, " or "))
	}

	return documentKind{}, refused("%s: kind %q is not known; it must be %s", name, head.Kind, strings.Join(known, " or "))
}
