// Package watermark keeps, outside the store, how far each stream's partitions were stored: a note in a key-value
// bucket, written now and then. A store that was put back to an old backup is found out by it. What a note says is the
// scoring service's.
package watermark
