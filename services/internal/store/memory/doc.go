// Package memory keeps derived state in this process: maps, one set for each partition, and a snapshot
// file for each, so that a restart replays only the log's newest part. It is the embedded default.
//
// The log holds the truth; a snapshot only saves time. So snapshots are written in the background, a
// commit never waits for a disk, and a snapshot that cannot be read is set aside.
// What the values mean, and the log, are not known here.
package memory
