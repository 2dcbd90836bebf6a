package fault

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

	"hale.dev/services/e2e/rig"
)

// pair names two parts of a fleet that talk to each other.
type pair struct{ a, b string }

// linkKinds are the faults of the network: each pair of parts can be cut and delayed.
func linkKinds() []kind {
	const least, most = time.Second, 6 * time.Second
	var all []kind
	for _, n := range []struct {
		cut, delay Class
		area       area
		often      int
		pairs      func(*rig.Fleet) []pair
	}{
		{CutHaleNATS, DelayHaleNATS, areaLinks, 3, haleNATS},
		{CutHaleRedis, DelayHaleRedis, areaLinks, 3, haleRedis},
		{CutClientIngest, DelayClientIngest, areaClient, 1, clientIngest},
		{CutNATSNATS, DelayNATSNATS, areaNATS, 2, natsNATS},
		{CutRedisRedis, DelayRedisRedis, areaRedis, 2, redisRedis},
	} {
		all = append(all,
			kind{n.cut, n.area, n.often, least, most, func(r *rand.Rand, f *rig.Fleet) Fault {
				return &cut{class: n.cut, pairs: somePairs(r, n.pairs(f)), how: how(r.IntN(int(hows)))}
			}},
			kind{n.delay, n.area, (n.often + 1) / 2, least, most, func(r *rand.Rand, f *rig.Fleet) Fault {
				return newDelay(r, n.delay, somePairs(r, n.pairs(f)))
			}})
	}
	return all
}

// somePairs picks one pair, or now and then all pairs of one part: then it is alone in the network.
func somePairs(r *rand.Rand, all []pair) []pair {
	const oneIn = 4
	one := pick(r, all)
	if r.IntN(oneIn) != 0 {
		return []pair{one}
	}
	var alone []pair
	for _, p := range all {
		if p.a == one.a || p.b == one.a {
			alone = append(alone, p)
		}
	}
	return alone
}

func haleNATS(f *rig.Fleet) []pair {
	var all []pair
	for _, s := range f.Services() {
		for _, n := range f.NATS {
			all = append(all, pair{s.Name, n.Name})
		}
	}
	return all
}

func haleRedis(f *rig.Fleet) []pair {
	var all []pair
	for _, s := range append(append([]*rig.Service(nil), f.Scoring...), f.Query...) {
		for _, n := range f.Redis.Nodes {
			all = append(all, pair{s.Name, n.Name})
		}
	}
	return all
}

func clientIngest(f *rig.Fleet) []pair {
	var all []pair
	for _, s := range f.Ingest {
		all = append(all, pair{s.Name, "client"})
	}
	return all
}

func natsNATS(f *rig.Fleet) []pair {
	var all []pair
	for i, n := range f.NATS {
		for _, other := range f.NATS[:i] {
			all = append(all, pair{n.Name, other.Name})
		}
	}
	return all
}

func redisRedis(f *rig.Fleet) []pair {
	var all []pair
	for i, n := range f.Redis.Nodes {
		for _, other := range f.Redis.Nodes[:i] {
			all = append(all, pair{n.Name, other.Name})
		}
	}
	return all
}

// how says in which way a link is cut.
type how int

const (
	silent  how = iota // nothing arrives, on either side
	deaf               // requests are lost
	dumb               // requests arrive, answers are lost
	refused            // connections end, new ones are refused
	hows
)

func (h how) String() string {
	return [...]string{"nothing passes", "requests are lost", "answers are lost", "connections are refused"}[h]
}

// cut cuts the links between pairs.
type cut struct {
	class Class
	pairs []pair
	how   how
	links []*rig.Link
}

func (c *cut) Class() Class { return c.class }

func (c *cut) String() string { return fmt.Sprintf("%s: %s", describe(c.pairs), c.how) }

func (c *cut) Inject(_ context.Context, f *rig.Fleet) error {
	for _, p := range c.pairs {
		c.links = append(c.links, f.Network.Between(p.a, p.b)...)
	}
	for _, l := range c.links {
		var err error
		switch c.how {
		case refused:
			l.Refuse()
		case deaf:
			err = l.Cut(rig.Requests)
		case dumb:
			err = l.Cut(rig.Answers)
		case silent, hows:
			err = l.Cut(rig.Both)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func (c *cut) Heal(context.Context, *rig.Fleet) error { return heal(c.links) }

// delay makes the links between pairs slow.
type delay struct {
	class           Class
	pairs           []pair
	latency, jitter time.Duration
	links           []*rig.Link
}

func newDelay(r *rand.Rand, class Class, pairs []pair) *delay {
	const least, most = 10 * time.Millisecond, 1500 * time.Millisecond
	latency := some(r, least, most)
	return &delay{class: class, pairs: pairs, latency: latency, jitter: some(r, 0, latency/2)}
}

func (d *delay) Class() Class { return d.class }

func (d *delay) String() string {
	return fmt.Sprintf("%s: %s late, give or take %s", describe(d.pairs),
		d.latency.Round(time.Millisecond), d.jitter.Round(time.Millisecond))
}

func (d *delay) Inject(_ context.Context, f *rig.Fleet) error {
	for _, p := range d.pairs {
		d.links = append(d.links, f.Network.Between(p.a, p.b)...)
	}
	for _, l := range d.links {
		if err := l.Delay(rig.Both, d.latency, d.jitter); err != nil {
			return err
		}
	}
	return nil
}

func (d *delay) Heal(context.Context, *rig.Fleet) error { return heal(d.links) }

func heal(links []*rig.Link) error {
	var errs []error
	for _, l := range links {
		errs = append(errs, l.Heal())
	}
	return errors.Join(errs...)
}

func describe(pairs []pair) string {
	if len(pairs) == 1 {
		return pairs[0].a + " and " + pairs[0].b
	}
	return fmt.Sprintf("%s and %d others", pairs[0].a, len(pairs))
}
