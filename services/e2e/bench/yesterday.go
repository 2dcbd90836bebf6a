package main

import (
	"context"
	"math"
	"sync/atomic"
	"time"

	"hale.dev/services/internal/eventlog"
)

// yesterdayLog shows the messages up to the last one of yesterday as if they had come a day earlier.
type yesterdayLog struct {
	*eventlog.Log

	last atomic.Uint64
}

const day = 24 * time.Hour

// now is the clock of who scores: yesterday's, until the day has ended.
func (l *yesterdayLog) now() time.Time {
	if l.last.Load() == math.MaxUint64 {
		return time.Now().Add(-day)
	}
	return time.Now()
}

// Read implements scoring.Log.
func (l *yesterdayLog) Read(ctx context.Context, stream int, from uint64, f func(*eventlog.Message) error) error {
	return l.Log.Read(ctx, stream, from, func(m *eventlog.Message) error {
		l.shift(m)
		return f(m)
	})
}

// MessageAt implements scoring.Log.
func (l *yesterdayLog) MessageAt(ctx context.Context, stream int, sequence uint64) (eventlog.Message, error) {
	m, err := l.Log.MessageAt(ctx, stream, sequence)
	l.shift(&m)
	return m, err
}

func (l *yesterdayLog) shift(m *eventlog.Message) {
	if m.Sequence <= l.last.Load() {
		m.Time -= day.Microseconds()
	}
}
