package scoring

// simMutant is a rule of the store, the log or the rejects that is broken on purpose: the simulation must find that out.
type simMutant uint8

const (
	mutantNone simMutant = iota
	// mutantNoEpoch checks neither the epoch nor the revision of a commit (either catches what the other lets through), and
	// never falls back.
	mutantNoEpoch
	// mutantNoFrom checks neither the cursor that a commit goes on from nor the revision, and only falls back to another
	// cursor.
	mutantNoFrom
	// mutantNoRevision does not check the revision of a commit.
	mutantNoRevision
	// mutantHalfCommit writes the values of a commit without the head when the request is lost.
	mutantHalfCommit
	// mutantFencedWrites writes the values of a commit that is fenced.
	mutantFencedWrites
	// mutantAppendsTwice adds what a commit adds twice, now and then, as a blind retry would.
	mutantAppendsTwice
	// mutantFallsBackApart lets the values fall back without the head: keys of a partition in two slots.
	mutantFallsBackApart
	// mutantLeaseForEver never ends a lease.
	mutantLeaseForEver
	// mutantSkips passes over a message of the log now and then.
	mutantSkips
	// mutantDeliversTwice delivers a message of the log twice now and then.
	mutantDeliversTwice
	// mutantForgetsRejects says that rejects are kept, and does not keep them, now and then.
	mutantForgetsRejects
)
