package eventlog

import "strconv"

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

// PlanSpread is what Spread would move, by stream, if letters of servers lead the streams ('-': nobody does).
func PlanSpread(leaders, servers string) map[string]string {
	var seats []seat

	for i, leader := range leaders {
		s := seat{stream: strconv.Itoa(i)}
		if leader != '-' {
			s.leader = string(leader)
		}

		for _, server := range servers {
			if server != leader {
				s.others = append(s.others, string(server))
			}
		}

		seats = append(seats, s)
	}

	moves := map[string]string{}
	for _, m := range plan(seats) {
		moves[m.stream] = m.to
	}

	return moves
}
