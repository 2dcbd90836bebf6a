package column

import healthv1 "hale.dev/proto/gen/hale/health/v1"

// Row is an account in a list. It must not be changed once it is in a table.
type Row struct {
	// Account is the account's id in its workspace.
	Account string
	// Partition the account lives in.
	Partition int
	// Score in micros of a point; ScoreKnown is false where no measure has data.
	Score      int64
	ScoreKnown bool
	// ARR in micros of Currency; ARRKnown is false where the profile has none.
	ARR      int64
	ARRKnown bool
	// Coverage in micros of a percent.
	Coverage int64
	Band     healthv1.Band
	Stage    healthv1.Stage
	// Fields of the profile; empty: unset.
	Name, Currency, Owner, Segment, Plan string

	// gone is true once another row stands for the account, or none; guarded by the table's lock.
	gone bool
}
