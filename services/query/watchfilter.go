package query

import (
	"errors"
	"strings"

	healthv1 "hale.dev/proto/gen/hale/health/v1"
	"hale.dev/services/internal/wire"
	"hale.dev/services/query/internal/column"
	"hale.dev/services/query/internal/hub"
)

// wanted reads what a watch is about, and the key by which those who want the same find each other.
func (s *Service) wanted(ws string, req *healthv1.WatchHealthRequest) (string, watched, error) {
	filter, err := column.ParseFilter(req.GetFilter(), nil)
	if err != nil {
		return "", watched{}, filterError(err)
	}

	paths := req.GetReadMask().GetPaths()

	var key []byte
	for _, part := range append([]string{ws, req.GetFilter()}, paths...) {
		key = wire.Append(key, part)
	}

	return string(key), watched{
		workspace: ws, filter: filter,
		identity:  hub.NewIdentity([]string{s.deps.Log.Layout().ID, ws, strings.TrimSpace(req.GetFilter())}, nil),
		summarize: func(rows ...*column.Row) []*healthv1.AccountSummary { return summaries(rows) },
	}, nil
}

// filterError is what a caller is told of a filter that cannot be used.
func filterError(err error) error {
	var bad *column.FilterError
	if !errors.As(err, &bad) {
		return err
	}

	return invalid("filter", bad.Code, bad.Error())
}
