package query

import (
	"maps"
	"slices"
	"strconv"
	"strings"

	"google.golang.org/grpc/codes"

	healthv1 "hale.dev/proto/gen/hale/health/v1"
	"hale.dev/services/internal/wire"
	"hale.dev/services/query/internal/column"
	"hale.dev/services/query/internal/hub"
)

// rules are the segments that a filter names, as they were when it was read.
type rules struct {
	segments  *segments
	workspace string
	// changed is closed when one of them may be another one; nil: there are none.
	changed <-chan struct{}
	texts   map[string]string // filter by name
}

// newRules returns rules to read a filter by.
func newRules(s *segments, workspace string) *rules {
	return &rules{segments: s, workspace: workspace, changed: s.changed(workspace), texts: map[string]string{}}
}

// named finds the filter of a segment, and notes that it was asked for.
func (r *rules) named(name string) (*column.Filter, bool) {
	one, ok := r.segments.get(r.workspace, name)
	if !ok {
		return nil, false
	}

	r.texts[name] = one.Filter

	return one.filter, true
}

// stand says whether the segments are still what they were, and looks out for the next change.
func (r *rules) stand() bool {
	r.changed = r.segments.changed(r.workspace) // before the look

	for name, text := range r.texts {
		if one, ok := r.segments.get(r.workspace, name); !ok || one.Filter != text {
			return false
		}
	}

	return true
}

// list are the rules as text, in order.
func (r *rules) list() []string {
	all := make([]string, 0, 2*len(r.texts))
	for _, name := range slices.Sorted(maps.Keys(r.texts)) {
		all = append(all, name, r.texts[name])
	}

	return all
}

// wanted reads what a watch is about, and the key by which those who want the same find each other.
func (s *Service) wanted(ws string, req *healthv1.WatchHealthRequest) (string, watched, *rules, error) {
	by := newRules(s.segments, ws)

	filter, err := column.ParseFilter(req.GetFilter(), by.named)
	if err != nil {
		return "", watched{}, nil, badFilter(err)
	}

	fields, err := parseMask(req.GetReadMask())
	if err != nil {
		return "", watched{}, nil, err
	}

	if len(by.texts) == 0 {
		by.changed = nil
	}

	text := strings.TrimSpace(req.GetFilter())

	var key []byte
	for _, part := range append([]string{ws, text, strconv.FormatUint(uint64(fields), 16)}, by.list()...) {
		key = wire.Append(key, part)
	}

	return string(key), watched{
		workspace: ws, filter: filter, fields: fields | 1<<fieldAccount,
		identity: hub.NewIdentity([]string{s.deps.Log.Layout().ID, ws, text}, by.list()),
	}, by, nil
}

// errSegmentChanged ends a watch whose filter names a segment that is another one now.
func (w *watch) errSegmentChanged() error {
	return w.ended(codes.Aborted, reasonSegmentChanged,
		"a segment that the filter names has changed: watch again, and what matches comes anew")
}
