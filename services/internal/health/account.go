package health

import (
	"hale.dev/services/internal/scorecard"
)

// Account is the state of one account. It is not safe for concurrent use, except that several may
// read it at once (Explain, Profile, Result, Measures) while none changes it.
type Account struct {
	begun, live, dirty   bool
	everSeen, everTicket bool // a usage event or successful login; a ticket event

	day       Day // today
	first     Day // of the earliest event; noDay: no event yet
	lastSeen  Day // noDay: never
	lastTouch Day // noDay: never

	load     string
	loadTime Time

	pulse     uint8
	pulseAt   stamp
	pulseText *pulseText // nil: the pulse has none

	lastEvent [SourceCount]Time // 0: none

	profile  profile
	usage    []usageDay  // by day
	surveys  []surveyDay // by day
	users    table[user]
	features table[feature]
	tickets  table[ticket]
	aliases  table[alias]
	result   Result
	past     past
	care     *care // nil: nothing was decided
	alerting alerting

	// What follows is made of the above and not stored.

	roles        int                // users with a role
	outs         int                // users outside the sample, kept for their role
	pending      map[string]feature // outside the sample, until the next evaluation
	stats        stats
	ticketStats  ticketStats
	featureStats featureStats
	ticketsFull  Day // day on which no ticket can be forgotten; noDay: not tried
	written      int // length of the last main value
}

// Result is the outcome of an evaluation.
type Result struct {
	// Score is 0 to 100, in micros; unknown where no measure has data.
	Score scorecard.Value
	// Band of the score, with hysteresis.
	Band Band
	// Coverage is the share of the weight that has data, in micros of percent.
	Coverage int64
	// Stage of the account's life.
	Stage Stage
	// Card is the name of the scorecard that applied; empty: never evaluated.
	Card string
	// SetVersion is the version of the scorecards.
	SetVersion uint64
	// Dimensions are the scores of adoption, engagement, support, sentiment and relationship.
	Dimensions [DimensionCount]scorecard.Value
}

// DimensionCount is the number of dimensions.
const DimensionCount = 5

// DimensionName returns the name of a dimension by its place in Result.Dimensions.
func DimensionName(i int) string {
	return [DimensionCount]string{"adoption", "engagement", "support", "sentiment", "relationship"}[i]
}

// dimensionOf is the reverse of DimensionName; -1 for any other name.
func dimensionOf(name string) int {
	for i := range DimensionCount {
		if DimensionName(i) == name {
			return i
		}
	}
	return -1
}

// New returns the state of an account without a past.
func New() *Account {
	return &Account{
		first: noDay, lastSeen: noDay, lastTouch: noDay, ticketsFull: noDay,
		result: Result{Band: BandUnknown}, past: past{day: noDay, since: noDay},
	}
}

// Begun says whether the account has a day.
func (a *Account) Begun() bool { return a.begun }

// Begin sets the account's first day in the log; a later call does nothing.
func (a *Account) Begin(day Day) {
	if !a.begun {
		a.begun, a.day = true, day
	}
}

// Day returns the account's today.
func (a *Account) Day() Day { return a.day }

// Empty says whether no event was applied yet.
func (a *Account) Empty() bool { return a.first == noDay }

// Result returns the outcome of the last evaluation.
func (a *Account) Result() Result { return a.result }

// Approximate says whether users or features are estimated from a sample.
func (a *Account) Approximate() bool { return a.users.level > 0 || a.features.level > 0 }

// Load returns the id of the historical load the account is in; empty: none.
func (a *Account) Load() string { return a.load }

// SetLoad puts the account into a historical load; empty: takes it out.
func (a *Account) SetLoad(id string) { a.load = id }

// LoadTime returns the latest event time of the account in its load.
func (a *Account) LoadTime() Time { return a.loadTime }

// SetLoadTime sets the latest event time of the account in its load.
func (a *Account) SetLoadTime(t Time) { a.loadTime = t }

// Live says whether the account took a live event.
func (a *Account) Live() bool { return a.live }

// SetLive notes that the account took a live event.
func (a *Account) SetLive() { a.live = true }

// Size is about the memory the account takes, bytes.
func (a *Account) Size() int {
	const (
		fixedBytes, dayBytes, surveyBytes                = 1400, 16, 88
		userBytes, featureBytes, ticketBytes, aliasBytes = 56, 24, 136, 40
		moreBytes, pendingBytes, alertBytes              = 96, 64, 512
	)
	n := fixedBytes + a.profile.size() + a.written +
		cap(a.usage)*dayBytes + cap(a.surveys)*surveyBytes + len(a.pending)*pendingBytes
	n += len(a.alerting.weeks) + a.alerting.book.Open()*alertBytes
	n += a.users.bytes + a.users.count*userBytes + a.roles*moreBytes
	n += a.features.bytes + a.features.count*featureBytes
	n += a.tickets.bytes + a.tickets.count*ticketBytes
	n += a.aliases.bytes + a.aliases.count*aliasBytes
	return n
}
