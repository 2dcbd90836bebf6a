package health

import "hale.dev/services/internal/fixed"

// Band is the coarse state of an account; numbers are those of hale.health.v1.Band.
type Band uint8

// The bands.
const (
	BandUnspecified Band = iota
	// BandUnknown means too little data.
	BandUnknown
	BandCritical
	BandAtRisk
	BandSteady
	BandHealthy
)

const (
	// minCoverage is the coverage below which a band is unknown.
	minCoverage = 30 * fixed.One
	// hysteresis is how far beyond an edge a score must be to cross it.
	hysteresis = 3 * fixed.One
)

// String returns the band's name, for example "at_risk".
func (b Band) String() string {
	switch b {
	case BandUnknown:
		return "unknown"
	case BandCritical:
		return "critical"
	case BandAtRisk:
		return "at_risk"
	case BandSteady:
		return "steady"
	case BandHealthy:
		return "healthy"
	case BandUnspecified:
	}
	return "unspecified"
}

// floor is the least score of the band.
func (b Band) floor() int64 {
	switch b {
	case BandAtRisk:
		return 40 * fixed.One
	case BandSteady:
		return 60 * fixed.One
	case BandHealthy:
		return 80 * fixed.One
	case BandUnspecified, BandUnknown, BandCritical:
	}
	return 0
}

// plainBand is the band of a score without a past.
func plainBand(score int64) Band {
	b := BandHealthy
	for b > BandCritical && score < b.floor() {
		b--
	}
	return b
}

// nextBand moves from the last band edge by edge, stopping at the first edge not crossed.
func nextBand(last Band, score int64) Band {
	b := last
	for b < BandHealthy && score >= (b+1).floor()+hysteresis {
		b++
	}
	if b != last {
		return b
	}
	for b > BandCritical && score <= b.floor()-hysteresis {
		b--
	}
	return b
}
