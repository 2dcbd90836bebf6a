package alertlog

import "strconv"

// Names in JetStream. They are built here only, from parts that cannot hold a separator.
const (
	streamName    = "ALERTS"
	subjectPrefix = "alerts."
	subjectAll    = subjectPrefix + ">"
	// maxToken is the longest id of an alert.
	maxToken = 128
)

// subject is where the records of an alert are published: alerts.<partition>.<alert id>.
func subject(partition int, alertID string) string {
	return subjectPrefix + strconv.Itoa(partition) + "." + alertID
}

// filter matches the records of a partition.
func filter(partition int) string { return subjectPrefix + strconv.Itoa(partition) + ".>" }

// safe tells whether an id of an alert can be a token of a subject: letters, digits, - and _.
func safe(alertID string) bool {
	if alertID == "" || len(alertID) > maxToken {
		return false
	}

	for i := range len(alertID) {
		c := alertID[i]
		if c != '-' && c != '_' && (c < '0' || c > '9') && (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') {
			return false
		}
	}

	return true
}
