package condition

import (
	"errors"
	"fmt"
	"reflect"

	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/common/types/ref"
	"cel.dev/cel-go/common/types/traits"
)

// entries is what a view shows: named values in an order that never changes.
type entries interface {
	// names of all entries, in order.
	names() []string
	// find returns one entry.
	find(name string) (ref.Val, bool)
}

// view is a CEL map over entries. Unlike CEL's own maps it iterates in order, and it reads an entry only when
// asked for it.
type view struct{ entries entries }

var _ traits.Mapper = (*view)(nil)

func newView(e entries) *view { return &view{entries: e} }

// Find implements traits.Mapper.
func (v *view) Find(key ref.Val) (ref.Val, bool) {
	if name, ok := key.(types.String); ok {
		return v.entries.find(string(name))
	}
	return nil, false
}

// Get implements traits.Indexer.
func (v *view) Get(key ref.Val) ref.Val {
	value, ok := v.Find(key)
	if !ok {
		return types.NewErr("no such key: %v", key)
	}
	return value
}

// Contains implements traits.Container.
func (v *view) Contains(key ref.Val) ref.Val {
	_, ok := v.Find(key)
	return types.Bool(ok)
}

// Size implements traits.Sizer.
func (v *view) Size() ref.Val { return types.Int(len(v.entries.names())) }

// Iterator implements traits.Iterable.
func (v *view) Iterator() traits.Iterator {
	return types.NewStringList(types.DefaultTypeAdapter, v.entries.names()).Iterator()
}

// Equal implements ref.Val: maps are equal whatever their order.
func (v *view) Equal(other ref.Val) ref.Val {
	m, ok := other.(traits.Mapper)
	if !ok || m.Size() != v.Size() {
		return types.False
	}
	for _, name := range v.entries.names() {
		mine, _ := v.entries.find(name)
		theirs, ok := m.Find(types.String(name))
		if !ok || types.Equal(mine, theirs) != types.True {
			return types.False
		}
	}
	return types.True
}

// ConvertToNative implements ref.Val. No function of conditions needs it.
func (v *view) ConvertToNative(kind reflect.Type) (any, error) {
	return nil, fmt.Errorf("converting a map of a condition to %v: %w", kind, errors.ErrUnsupported)
}

// ConvertToType implements ref.Val.
func (v *view) ConvertToType(kind ref.Type) ref.Val {
	switch kind {
	case types.MapType:
		return v
	case types.TypeType:
		return types.MapType
	default:
		return types.NewErr("type conversion error from '%s' to '%s'", types.MapType, kind)
	}
}

// Type implements ref.Val.
func (v *view) Type() ref.Type { return types.MapType }

// Value implements ref.Val.
func (v *view) Value() any { return v.entries }
