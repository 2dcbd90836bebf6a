// Package snapshot makes durable checkpoints of one partition's derived state, and keeps them: in a bucket of
// JetStream, a folder, or a bucket that speaks S3.
//
// It has three layers. A Writer and a Reader know the format: a compressed stream of entries whose end, where the
// cursor stands, is written last. A Vault keeps named objects, whole or not at all. An Archive names snapshots,
// reads each back before it is called good, and says which one to start over from and up to where the log may be
// trimmed.
//
// When snapshots are made, what their keys and values mean, and the log itself are not known here.
package snapshot
