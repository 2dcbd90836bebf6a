package query

import (
	"strconv"
	"strings"

	healthv1 "hale.dev/proto/gen/hale/health/v1"
	"hale.dev/services/internal/wire"
	"hale.dev/services/query/internal/column"
	"hale.dev/services/query/internal/hub"
)

// wanted reads what a watch is about, and the key by which those who want the same find each other.
func (s *Service) wanted(ws string, req *healthv1.WatchHealthRequest) (string, watched, error) {
	filter, err := column.ParseFilter(req.GetFilter(), s.namedIn(ws))
	if err != nil {
		return "", watched{}, badFilter(err)
	}

	fields, err := parseMask(req.GetReadMask())
	if err != nil {
		return "", watched{}, err
	}

	text := strings.TrimSpace(req.GetFilter())

	var key []byte
	for _, part := range []string{ws, text, strconv.FormatUint(uint64(fields), 16)} {
		key = wire.Append(key, part)
	}

	return string(key), watched{
		workspace: ws, filter: filter, fields: fields | 1<<fieldAccount,
		identity: hub.NewIdentity([]string{s.deps.Log.Layout().ID, ws, text}, nil),
	}, nil
}
