package trial

import (
	"io"
	"time"

	"hale.dev/services/e2e/fault"
	"hale.dev/services/e2e/rig"
)

// Options of a trial; zero values work, but for Programs, Dir and Out.
type Options struct {
	Programs rig.Programs
	// Dir is an empty folder for all that the fleet writes.
	Dir string
	// Out gets a line for each fault, and the report.
	Out io.Writer
	// Seed decides the faults and the traffic.
	Seed uint64
	// Faults is how many there are, at most (0: 120), Classes those to choose from (empty: all).
	Faults  int
	Classes []fault.Class
	// Time bounds the whole trial, the comparison included; no fault begins in its last part. 0: 9 min.
	Time time.Duration
	// Longest bounds the long pauses; 0: 30 s.
	Longest time.Duration
	// Rate is how many events are sent in a second (0: 1,500), over how many accounts (0: 3,000), by how many senders
	// (0: 8).
	Rate, Accounts, Senders int
	// Fleet says how large the fleet is.
	Fleet rig.FleetOptions
}

func (o Options) complete() Options {
	const (
		faults, rate, accounts, senders = 120, 1500, 3000, 8

		disk = 1 << 30
		most = 9 * time.Minute
	)
	for _, d := range []struct {
		value    *int
		standard int
	}{{&o.Faults, faults}, {&o.Rate, rate}, {&o.Accounts, accounts}, {&o.Senders, senders}} {
		if *d.value == 0 {
			*d.value = d.standard
		}
	}
	if o.Time == 0 {
		o.Time = most
	}
	if o.Fleet.DiskBytes == 0 {
		o.Fleet.DiskBytes = disk
	}
	o.Fleet.Programs = o.Programs
	return o
}
