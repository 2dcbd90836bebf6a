package scoring

import (
	"sync"

	"hale.dev/services/internal/member"
	"hale.dev/services/internal/scorecard"
)

// memberInterval is how often a process tells of itself.
const memberInterval = member.Interval

// simParsed keeps compiled documents: compiling takes longer than thousands of steps.
var simParsed sync.Map

type simCompiled struct {
	set *scorecard.Set
	err error
}

func simParse(document []byte) (*scorecard.Set, error) {
	found, ok := simParsed.Load(string(document))
	if !ok {
		set, err := scorecard.Parse(document)
		found, _ = simParsed.LoadOrStore(string(document), simCompiled{set, err})
	}
	compiled := found.(simCompiled)
	if compiled.err != nil {
		return nil, compiled.err
	}
	set := *compiled.set // the caller sets its version
	return &set, nil
}
