package rig

import (
	"fmt"
	"slices"

	"hale.dev/services/internal/quietaddr"
)

// AddScoring lays out one more scoring process beside the first, with the same arguments. Start does not start it; Stop
// ends it too.
func (c *Cluster) AddScoring() (*Process, error) {
	admin, err := quietaddr.New()
	if err != nil {
		return nil, err
	}
	p := &Process{Name: fmt.Sprintf("scoring-%d", len(c.more)+2), Path: c.Scoring.Path, Dir: c.Dir}
	p.Args = append(slices.Clone(c.Scoring.Args), "--admin", admin) // the last one counts
	c.admin[p] = admin
	c.more = append(c.more, p)
	return p, nil
}
