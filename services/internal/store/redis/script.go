package redis

import (
	_ "embed"

	"github.com/redis/go-redis/v9"
)

//go:embed commit.lua
var commitSource string

//go:embed claim.lua
var claimSource string

//go:embed lease.lua
var leaseSource string

//go:embed inspect.lua
var inspectSource string

//go:embed reset.lua
var resetSource string

//go:embed begin.lua
var beginSource string

//go:embed publish.lua
var publishSource string

//go:embed drop.lua
var dropSource string

//go:embed stale.lua
var staleSource string

//go:embed unlink.lua
var unlinkSource string

//go:embed swept.lua
var sweptSource string

//go:embed place.lua
var placeSource string

// script is a script, and the name that servers know it by.
type script struct{ source, hash string }

func newScript(source string) *script {
	return &script{source: source, hash: redis.NewScript(source).Hash()}
}

// scripts are what the servers run. Each touches the keys of one partition only, and names them all.
type scripts struct {
	commit, claim, lease, inspect, reset *script
	begin, publish, drop                 *script // of drafts
	stale, unlink, swept                 *script // of sweeps
	place                                *script // of watches
}

func newScripts() scripts {
	return scripts{
		commit: newScript(commitSource), claim: newScript(claimSource),
		lease: newScript(leaseSource), inspect: newScript(inspectSource),
		reset: newScript(resetSource), begin: newScript(beginSource),
		publish: newScript(publishSource), drop: newScript(dropSource),
		stale: newScript(staleSource), unlink: newScript(unlinkSource),
		swept: newScript(sweptSource), place: newScript(placeSource),
	}
}
