package oracle_test

import (
	"fmt"
	"strings"
	"time"

	"hale.dev/services/internal/oracle"
)

// tale writes a log one record a line, so that a failing example can be read.
func tale(messages []oracle.Message) string {
	var b strings.Builder
	for _, m := range messages {
		fmt.Fprintf(&b, "\n%s", time.UnixMicro(m.Time).UTC().Format(time.RFC3339Nano))
		for _, r := range m.Records {
			text := r.String()
			fmt.Fprintf(&b, "\n  %.240s", text)
		}
	}
	return b.String()
}
