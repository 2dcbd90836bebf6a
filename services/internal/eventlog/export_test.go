package eventlog

// What the tests of package eventlog_test need of the inside.
var (
	AppendHead   = appendHead
	AppendRecord = appendRecord
	DecodeBatch  = decodeBatch
	ParsePlace   = parseToken
	PartitionOf  = partitionOf
	Subject      = subject
	ParseAck     = parseAck
)

// NewToken makes a token of partition and sequence pairs.
func NewToken(layout string, pairs ...uint64) Token {
	t := Token{layout: layout}
	for i := 0; i < len(pairs); i += 2 {
		t.places = append(t.places, place{partition: int(pairs[i]), sequence: pairs[i+1]})
	}

	return t
}

// StreamName and Subjects are the names that a layout gives.
func (l Layout) StreamName(stream int) string { return l.streamName(stream) }

// Subjects are those of a stream's partitions.
func (l Layout) Subjects(stream int) []string { return l.subjects(stream) }

// Queued is the number of bytes that the writer holds.
func (w *Writer) Queued() int64 { return w.queued.Load() }

// Limit is the largest batch in bytes.
func (w *Writer) Limit() int { return w.limit }
