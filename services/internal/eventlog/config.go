package eventlog

import "time"

// Defaults of a Writer.
const (
	defaultGather      = 5 * time.Millisecond
	defaultBatchBytes  = 256 << 10
	defaultInFlight    = 16
	defaultQueueBytes  = 64 << 20
	defaultAckTimeout  = 10 * time.Second
	defaultAlarmPeriod = 15 * time.Second
)

// WriterOptions says how a Writer gathers and sends. Zero values work.
type WriterOptions struct {
	// Gather is how long a partition that has just sent a batch gathers the next one. A partition that sent
	// nothing for so long sends at once. 0: 5 ms.
	Gather time.Duration
	// BatchBytes is the size at which a batch is sent without waiting. 0: 256 KiB.
	BatchBytes int
	// InFlight is how many batches of a stream may wait for the server. While that many do, the next batches
	// grow. 0: 16.
	InFlight int
	// QueueBytes bounds the encoded records that the writer holds, in flight included; a write beyond it is
	// ErrBusy. 0: 64 MiB.
	QueueBytes int64
	// AckTimeout is how long a batch is tried, across reconnects, until it is ErrUnavailable. 0: 10 s.
	AckTimeout time.Duration
	// AlarmPeriod is how often the fill of the streams is looked at. 0: 15 s.
	AlarmPeriod time.Duration
}

// withDefaults fills what is zero.
func (o WriterOptions) withDefaults() WriterOptions {
	if o.Gather == 0 {
		o.Gather = defaultGather
	}

	if o.AckTimeout == 0 {
		o.AckTimeout = defaultAckTimeout
	}

	if o.AlarmPeriod == 0 {
		o.AlarmPeriod = defaultAlarmPeriod
	}

	o.BatchBytes = orDefault(o.BatchBytes, defaultBatchBytes)
	o.InFlight = orDefault(o.InFlight, defaultInFlight)
	o.QueueBytes = orDefault(o.QueueBytes, int64(defaultQueueBytes))

	return o
}
