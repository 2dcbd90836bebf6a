package eventlog

import (
	"strconv"
	"strings"
)

// Names in JetStream. They are built here only, from parts that cannot hold a separator.
const (
	subjectPrefix = "events."
	streamPrefix  = "EVENTS"
	layoutBucket  = "hale_layout"
	layoutKey     = "layout"
	streamsKey    = "streams"
)

// subject is where the batches of a partition are published.
func subject(partition int) string { return subjectPrefix + strconv.Itoa(partition) }

// partitionOf reads the partition from a subject; false: it is not a subject of ours.
func partitionOf(subject string) (int, bool) {
	digits, found := strings.CutPrefix(subject, subjectPrefix)
	if !found {
		return 0, false
	}

	partition, err := strconv.Atoi(digits)
	if err != nil || partition < 0 || strconv.Itoa(partition) != digits {
		return 0, false
	}

	return partition, true
}

// streamName is EVENTS where there is one stream, else EVENTS_<i>.
func (l Layout) streamName(stream int) string {
	if l.Streams == 1 {
		return streamPrefix
	}

	return streamPrefix + "_" + strconv.Itoa(stream)
}

// subjects are those of a stream's partitions, in order.
func (l Layout) subjects(stream int) []string {
	var all []string

	for partition := range l.Partitions {
		if l.Stream(partition) == stream {
			all = append(all, subject(partition))
		}
	}

	return all
}
