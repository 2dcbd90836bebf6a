package rig

import (
	"sync/atomic"
	"time"
)

// Clock is what the clients of a fleet take for the time. It can be set wrong.
type Clock struct{ step atomic.Int64 }

// Step sets the clock off by so much.
func (c *Clock) Step(by time.Duration) { c.step.Store(int64(by)) }

// Wrong is by how much the clock is off.
func (c *Clock) Wrong() time.Duration { return time.Duration(c.step.Load()) }
