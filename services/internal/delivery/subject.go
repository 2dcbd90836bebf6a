package delivery

import (
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"
)

// Names in JetStream. They are built here only.
const (
	streamName      = "NOTIFY"
	allSubjects     = "notify.>"
	deliveryPrefix  = "notify.delivery."
	noticePrefix    = "notify.notice."
	resendPrefix    = "notify.resend."
	resendSubjects  = resendPrefix + ">"
	cursorSubject   = "notify.cursor"
	periodPrefix    = "notify.period."
	transitionSep   = "-"
	subjectSegments = 4
)

// ErrToken is returned for a name or an id that cannot be part of a subject.
var ErrToken = errors.New("delivery: must be letters, digits, - and _")

var token = regexp.MustCompile(`^[A-Za-z0-9_-]{1,128}$`)

// join builds a subject of tokens that hold no separator.
func join(prefix string, tokens ...string) (string, error) {
	for _, t := range tokens {
		if !token.MatchString(t) {
			return "", fmt.Errorf("%w: %q", ErrToken, t)
		}
	}

	return prefix + strings.Join(tokens, "."), nil
}

func (d *Delivery) subject() (string, error) {
	return join(deliveryPrefix, d.Workspace, d.AlertID, d.Receiver, strconv.FormatUint(uint64(d.Revision), 10))
}

func (n *Notice) subject() (string, error) { return noticeSubject(n.Workspace, n.ID) }

func (c *Cursor) subject() (string, error) { return cursorSubject, nil }

func (p *Period) subject() (string, error) { return join(periodPrefix, p.Workspace, p.Digest) }

func noticeSubject(workspace, id string) (string, error) { return join(noticePrefix, workspace, id) }

// noticesOf matches the notices of a workspace.
func noticesOf(workspace string) (string, error) {
	subject, err := join(noticePrefix, workspace)

	return subject + ".>", err
}

// deliveriesOf matches the deliveries of an alert.
func deliveriesOf(workspace, alertID string) (string, error) {
	subject, err := join(deliveryPrefix, workspace, alertID)

	return subject + ".>", err
}

func resendSubject(workspace, id string) (string, error) { return join(resendPrefix, workspace, id) }

// parseResend takes a subject of a wish apart.
func parseResend(subject string) (workspace, id string, ok bool) {
	parts := strings.Split(subject, ".")
	if len(parts) != subjectSegments {
		return "", "", false
	}

	return parts[2], parts[3], true
}

func transitionID(alertID string, revision uint32) string {
	return alertID + transitionSep + strconv.FormatUint(uint64(revision), 10)
}

// alertOf is the alert of a transition's id.
func alertOf(transitionID string) string {
	if i := strings.LastIndex(transitionID, transitionSep); i >= 0 {
		return transitionID[:i]
	}

	return transitionID
}
