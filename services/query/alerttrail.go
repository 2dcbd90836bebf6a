package query

import (
	"context"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"math"

	"google.golang.org/grpc/codes"
	"google.golang.org/protobuf/proto"

	alertv1 "hale.dev/proto/gen/hale/alert/v1"
	logv1 "hale.dev/proto/gen/hale/log/v1"
	"hale.dev/services/internal/wire"
)

// GetAlert implements AlertService.
func (a *alertServer) GetAlert(ctx context.Context, req *alertv1.GetAlertRequest) (*alertv1.GetAlertResponse, error) {
	s := a.service

	after, err := parseTrailToken(req.GetAlertId(), req.GetTrailPageToken())
	if err != nil {
		return nil, err
	}

	found, err := s.findAlert(ctx, req.GetAlertId())
	if err != nil {
		return nil, err
	}

	var deliveries []*alertv1.Delivery

	if s.deps.Deliveries != nil {
		if deliveries, err = s.deps.Deliveries.Of(ctx, found.workspace, req.GetAlertId()); err != nil {
			return nil, alertsFailed("reading the deliveries of an alert", err)
		}
	}

	page := newTrailPage(after, found.alert.GetRevision(), int(req.GetTrailPageSize()), deliveries)

	err = s.deps.Alerts.Trail(ctx, found.partition, req.GetAlertId(), page.take)
	if err != nil && !errors.Is(err, errTrailPage) {
		return nil, alertsFailed("reading the trail of an alert", err)
	}

	answer := &alertv1.GetAlertResponse{
		Alert: s.silences.marked(found.workspace, found.alert), Trail: page.trail, Deliveries: page.delivered(deliveries),
	}

	if page.more {
		answer.NextTrailPageToken = formatTrailToken(req.GetAlertId(), page.after)
	}

	return answer, nil
}

// errTrailPage ends the reading of a trail where its page does.
var errTrailPage = errors.New("query: the page of the trail is complete")

// trailPage gathers a page of what happened to an alert, and of how it was delivered.
type trailPage struct {
	// after is the revision behind which the page goes on; last is the one with which the trail ends.
	after, last uint32
	// limit is how many transitions it has at most; 0: as many as an answer takes. size is what it takes of it, bytes.
	limit, size int
	// deliveries are the bytes of those of each transition.
	deliveries map[string]int
	trail      []*alertv1.Transition
	// more says that there is more behind.
	more bool
}

func newTrailPage(after, last uint32, limit int, deliveries []*alertv1.Delivery) *trailPage {
	p := &trailPage{after: after, last: last, limit: limit, deliveries: map[string]int{}}
	for _, d := range deliveries {
		p.deliveries[d.GetTransitionId()] += proto.Size(d)
	}

	return p
}

// take takes up what happened next. Its error is errTrailPage behind the last that belongs to the page.
func (p *trailPage) take(r *logv1.AlertRecord) error {
	t := r.GetTransition()
	revision := t.GetAlert().GetRevision()

	switch {
	case revision <= p.after:
		return nil
	case revision > p.last: // the stream may be a moment ahead of the board: the trail ends where the alert does
		return errTrailPage
	case p.full():
		p.more = true

		return errTrailPage
	}

	t.Alert = nil
	p.trail, p.after = append(p.trail, t), revision
	p.size += proto.Size(t) + p.deliveries[t.GetTransitionId()]

	return nil
}

func (p *trailPage) full() bool {
	return p.size >= alertBytes || (p.limit > 0 && len(p.trail) == p.limit)
}

// delivered returns those of the deliveries that belong to the page.
func (p *trailPage) delivered(all []*alertv1.Delivery) []*alertv1.Delivery {
	here := map[string]bool{}
	for _, t := range p.trail {
		here[t.GetTransitionId()] = true
	}

	var found []*alertv1.Delivery

	for _, d := range all {
		if here[d.GetTransitionId()] {
			found = append(found, d)
		}
	}

	return found
}

// trailToken begins every token of a page of a trail.
const trailToken = 6

// formatTrailToken makes the token of the page behind a revision: version, revision, and the alert's id.
func formatTrailToken(alertID string, revision uint32) string {
	b := binary.AppendUvarint([]byte{trailToken}, uint64(revision))

	return base64.RawURLEncoding.EncodeToString(append(b, alertID...))
}

// parseTrailToken returns the revision behind which a page of an alert's trail begins; without a token, with the first.
func parseTrailToken(alertID, text string) (uint32, error) {
	if text == "" {
		return 0, nil
	}

	b, err := base64.RawURLEncoding.DecodeString(text)
	r := wire.NewReader(b)
	version, revision, id := r.Byte(), r.Uvarint(), string(r.Take(uint64(r.Len()))) //nolint:gosec // a length

	if err != nil || r.Bad() || version != trailToken || revision > math.MaxUint32 || id != alertID {
		return 0, &Error{
			Code: codes.InvalidArgument, Reason: reasonPageToken, cause: err,
			Message: "trail_page_token: it is malformed, or of another alert",
		}
	}

	return uint32(revision), nil
}
