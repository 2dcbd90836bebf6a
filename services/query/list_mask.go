package query

import (
	"fmt"

	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/known/fieldmaskpb"

	healthv1 "hale.dev/proto/gen/hale/health/v1"
)

// mask says which fields of an account in a list are wanted, bit by bit by their number.
type mask uint64

// Numbers of fields that cost something to make, and of the id.
const (
	fieldAccount    = 1
	fieldRenewal    = 16
	fieldCreated    = 17
	fieldChurn      = 19
	fieldDimensions = 24
	fieldMeasures   = 25
	fieldTraits     = 26
)

const (
	// allFields are all there are.
	allFields = ^mask(0)
	// cheapFields are those that are wanted when nothing is said: the others are maps, and cost more than all of them.
	cheapFields = allFields &^ (1<<fieldDimensions | 1<<fieldMeasures | 1<<fieldTraits)
)

// has says whether a field is wanted.
func (m mask) has(n protoreflect.FieldNumber) bool { return m>>n&1 != 0 }

// parseMask reads a mask of fields of AccountSummary; empty is all that are cheap, * is all.
func parseMask(m *fieldmaskpb.FieldMask) (mask, error) {
	paths := m.GetPaths()

	switch {
	case len(paths) == 0:
		return cheapFields, nil
	case len(paths) == 1 && paths[0] == "*":
		return allFields, nil
	}

	var (
		wanted mask
		fields = (*healthv1.AccountSummary)(nil).ProtoReflect().Descriptor().Fields()
	)

	for i, path := range paths {
		f := fields.ByName(protoreflect.Name(path))
		if f == nil {
			return 0, invalid(fmt.Sprintf("read_mask.paths[%d]", i), "read_mask.unknown",
				fmt.Sprintf("accounts in lists have no field %q", path))
		}

		wanted |= 1 << uint(f.Number()) //nolint:gosec // small and positive
	}

	return wanted, nil
}
