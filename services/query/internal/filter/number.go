package filter

import "math"

// Number is a value in micros, a day, the number of a name, 0 or 1, or None.
type Number int64

// None stands for a value that is not there.
const None Number = math.MinInt64

// Known says whether there is a value.
func (n Number) Known() bool { return n != None }
