// Package alertlog keeps what happened to alerts in the stream ALERTS: one message for each transition, each exactly
// once, those of a partition in the order in which they were decided. Whoever shows or delivers alerts follows it.
//
// Append takes the records of a partition to the stream, whoever else tries the same at the same time: a message is
// taken only behind the one that its writer knows to be the partition's last.
//
// What an alert is, and when something happens to it, is decided in internal/fold; how the records come here from there
// is services/scoring's affair.
package alertlog
