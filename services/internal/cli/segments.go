package cli

import (
	"context"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	healthv1 "hale.dev/proto/gen/hale/health/v1"
)

func (a *app) segmentsCommand() *cobra.Command {
	return parent("segments", "Named filters: list, get, set, delete",
		a.segmentsListCommand(), a.segmentsGetCommand(), a.segmentsSetCommand(), a.segmentsDeleteCommand())
}

// segmentView is a segment as it is printed.
type segmentView struct {
	Name        string             `json:"name"`
	Filter      string             `json:"filter"`
	Description string             `json:"description"`
	Revision    uint64             `json:"revision"`
	Accounts    int32              `json:"accounts"`
	ARR         map[string]float64 `json:"arr"`
}

func viewSegment(s *healthv1.Segment) segmentView {
	arr := s.GetArr()
	if arr == nil {
		arr = map[string]float64{}
	}

	return segmentView{
		Name: s.GetName(), Filter: s.GetFilter(), Description: s.GetDescription(), Revision: s.GetRevision(),
		Accounts: s.GetAccounts(), ARR: arr,
	}
}

func (a *app) segmentsListCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use: "list", Short: "List segments, with how many accounts are in them", Args: arguments(0, 0, "no arguments"),
		RunE: func(cmd *cobra.Command, _ []string) error {
			return a.health(cmd.Context(), func(ctx context.Context, c healthv1.HealthServiceClient) error {
				r, err := c.ListSegments(ctx, &healthv1.ListSegmentsRequest{})
				if err != nil {
					return fmt.Errorf("listing segments: %w", err)
				}

				views := make([]segmentView, 0, len(r.GetSegments()))
				for _, s := range r.GetSegments() {
					views = append(views, viewSegment(s))
				}

				return many(a.printer(), views, drawSegments(views))
			})
		},
	}
	a.flags(cmd, readFlags()...)

	return cmd
}

func (a *app) segmentsGetCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use: "get NAME", Short: "Show a segment", Args: arguments(1, 1, "the segment's name"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.health(cmd.Context(), func(ctx context.Context, c healthv1.HealthServiceClient) error {
				r, err := c.GetSegment(ctx, &healthv1.GetSegmentRequest{Name: args[0]})
				if err != nil {
					return fmt.Errorf("reading segment %q: %w", args[0], err)
				}

				return a.printSegment(r.GetSegment())
			})
		},
	}
	a.flags(cmd, readFlags()...)

	return cmd
}

func (a *app) segmentsSetCommand() *cobra.Command {
	s := &healthv1.Segment{}

	cmd := &cobra.Command{
		Use: "set NAME FILTER", Short: "Store a segment, or change it", Args: arguments(2, 2, "a name and a filter"),
		Example: "  hale segments set enterprise 'arr >= 50000' --description 'looked after in person'",
		RunE: func(cmd *cobra.Command, args []string) error {
			s.Name, s.Filter = args[0], args[1]

			return a.decide(cmd.Context(), func(ctx context.Context, c healthv1.HealthServiceClient) error {
				r, err := c.SetSegment(ctx, &healthv1.SetSegmentRequest{Segment: s})
				if err != nil {
					return fmt.Errorf("storing segment %q: %w", s.GetName(), err)
				}

				return a.printSegment(r.GetSegment())
			})
		},
	}
	a.flags(cmd, readFlags()...)
	cmd.Flags().StringVar(&s.Description, "description", "", "what it is for")
	cmd.Flags().Uint64Var(&s.Revision, "revision", 0, "change it only if it is of this revision; 0: whatever is there")

	return cmd
}

func (a *app) segmentsDeleteCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use: "delete NAME", Short: "Remove a segment", Args: arguments(1, 1, "the segment's name"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.decide(cmd.Context(), func(ctx context.Context, c healthv1.HealthServiceClient) error {
				if _, err := c.DeleteSegment(ctx, &healthv1.DeleteSegmentRequest{Name: args[0]}); err != nil {
					return fmt.Errorf("removing segment %q: %w", args[0], err)
				}

				return nil
			})
		},
	}
	a.flags(cmd, readFlags()...)

	return cmd
}

// printSegment writes one segment.
func (a *app) printSegment(s *healthv1.Segment) error {
	v := viewSegment(s)

	return a.printer().one(v, drawSegments([]segmentView{v}))
}

func drawSegments(views []segmentView) func(io.Writer) error {
	return func(w io.Writer) error {
		t := table{columns: []column{
			{name: "SEGMENT"},
			{name: "ACCOUNTS", right: true},
			{name: "ARR", right: true},
			{name: "REVISION", right: true},
			{name: "FILTER"},
			{name: "DESCRIPTION"},
		}}

		for i := range views {
			v := &views[i]

			var sums []string
			for currency, arr := range v.ARR {
				sums = append(sums, strings.TrimSpace(decimal(arr, 0)+" "+currency))
			}

			slices.Sort(sums)
			t.add(v.Name, number(v.Accounts), strings.Join(sums, ", "), number(v.Revision), v.Filter, v.Description)
		}

		return t.write(w)
	}
}
