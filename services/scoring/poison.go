package scoring

import (
	"fmt"

	"hale.dev/services/internal/fold"
)

// condemned remembers, over restarts of a stream, the records whose folding failed inside. Only the
// goroutine that owns the stream uses it.
type condemned []poisonError

func (c condemned) tell(p *fold.Partition, number int) {
	for _, e := range c {
		switch {
		case e.partition != number:
		case e.account != "":
			p.Shun(e.account)
		default:
			p.Condemn(e.sequence, e.hash, e.index, e.why)
		}
	}
}

// poisonError says that folding a record, or sweeping an account, failed inside. On the next try the record is refused,
// the account passed over.
type poisonError struct {
	partition      int
	account        string // of a sweep; empty for a record
	sequence, hash uint64
	index          int
	why            string
}

func (e *poisonError) Error() string {
	if e.account != "" {
		return fmt.Sprintf("sweeping account %q in partition %d: %s", e.account, e.partition, e.why)
	}
	return fmt.Sprintf("folding record %d of message %d in partition %d: %s", e.index, e.sequence, e.partition, e.why)
}
