package health

import (
	"strings"
	"unicode/utf8"

	eventv1 "hale.dev/proto/gen/hale/event/v1"
)

const (
	pulseAuthorBytes = 256
	pulseNoteBytes   = 1024
)

// pulseText is what a pulse says beside its number. It is never changed, only replaced.
type pulseText struct{ author, note string }

// pulseTextOf keeps the texts of an interaction; nil: it has none.
func pulseTextOf(i *eventv1.Interaction) *pulseText {
	if i.GetAuthor() == "" && i.GetNote() == "" {
		return nil
	}
	return &pulseText{cut(i.GetAuthor(), pulseAuthorBytes), cut(i.GetNote(), pulseNoteBytes)}
}

// cut copies at most n bytes of a text, and no half letter. Ingest refuses longer ones; this keeps the core safe.
func cut(s string, n int) string {
	if len(s) <= n {
		return strings.Clone(s)
	}
	for n > 0 && !utf8.RuneStart(s[n]) {
		n--
	}
	return strings.Clone(s[:n])
}
