package demo

import (
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"time"
)

const dayHours = 24

// Portfolio is a made-up set of accounts.
type Portfolio struct {
	// Accounts in the order of their making.
	Accounts []Account
	// End is where history stops.
	End time.Time

	config Config
}

// Account is a made-up customer.
type Account struct {
	// ID and Name of the account.
	ID, Name string
	// Story is what happens to it.
	Story Story

	index    int
	plan     string
	arr      int64 // currency units a year
	currency string
	seats    int
	created  time.Time // day
	renewal  time.Time // day of the first renewal in or after its history
	churn    time.Time // day on which it left; zero: it is still there
	parent   string
	owner    string
	segment  string
	industry string
	users    int // people who come at all; the first is the champion, the second the admin
	breadth  int // features in use
	begins   time.Time
}

// streams keep the random choices of different parts apart, so that a change of one part
// leaves the others as they were.
const (
	streamPortfolio = iota << 32
	streamHistory
	streamLive
)

func (c Config) random(stream uint64, index int) *rand.Rand {
	//nolint:gosec // a story needs no secret randomness, and must be repeatable
	return rand.New(rand.NewPCG(uint64(c.Seed), stream+uint64(index)))
}

// New makes the portfolio of a configuration, with its history ending at end.
func New(c Config, end time.Time) *Portfolio {
	c = c.complete()
	end = end.UTC().Truncate(time.Second)
	p := &Portfolio{End: end, config: c}
	r := c.random(streamPortfolio, 0)
	taken := make(map[string]bool, c.Accounts)

	for i := range c.Accounts {
		a := Account{index: i, Story: draw(r)}
		a.Name = companyName(r, taken)
		a.ID = slug(a.Name)
		a.contract(r, c, end)
		p.Accounts = append(p.Accounts, a)
	}

	p.cast()
	p.sign()

	return p
}

// cast makes sure that every story is told, however small the portfolio.
func (p *Portfolio) cast() {
	stories := Stories()
	if len(p.Accounts) < len(stories) {
		return
	}

	for i, s := range stories {
		a := &p.Accounts[i]
		if a.Story != s {
			a.Story = s
			a.contract(p.config.random(streamPortfolio, i+1), p.config, p.End)
		}
	}
}

// Of returns the accounts with a story, in order.
func (p *Portfolio) Of(s Story) []Account {
	return slices.DeleteFunc(slices.Clone(p.Accounts), func(a Account) bool { return a.Story != s })
}

func draw(r *rand.Rand) Story {
	n := r.IntN(100)

	for _, s := range Stories() {
		if n -= s.plot().weight; n < 0 {
			return s
		}
	}

	return Steady
}

// tier is a plan with what goes with it.
type tier struct {
	plan, segment string
	low, high     int   // seats
	price         int64 // a seat and year
	share         int   // percent of accounts
}

func tiers() []tier {
	return []tier{
		{plan: "starter", segment: "smb", low: 4, high: 10, price: 240, share: 45},
		{plan: "team", segment: "smb", low: 10, high: 24, price: 360, share: 33},
		{plan: "business", segment: "mid-market", low: 24, high: 55, price: 540, share: 16},
		{plan: "enterprise", segment: "enterprise", low: 55, high: 120, price: 780, share: 6},
	}
}

// contract fills what was agreed with the account.
func (a *Account) contract(r *rand.Rand, c Config, end time.Time) {
	t := tiers()[0]
	n := r.IntN(100)

	for _, candidate := range tiers() {
		t = candidate
		if n -= t.share; n < 0 {
			break
		}
	}

	today := end.Truncate(dayHours * time.Hour)
	a.plan, a.segment = t.plan, t.segment
	a.seats = t.low + r.IntN(t.high-t.low+1)
	a.arr = int64(a.seats) * t.price * int64(90+r.IntN(21)) / 100
	a.currency = pick(r, "USD", "USD", "USD", "EUR", "EUR", "GBP")
	a.owner = pick(r, "maya.lindt", "jonas.pereira", "amara.okoye", "li.wei", "sofia.novak")
	a.industry = pick(r, "logistics", "healthcare", "retail", "finance", "education", "manufacturing", "media", "energy")

	story := a.Story.plot()
	a.users = max(3, int(float64(a.seats)*(story.reach+(story.reachMost-story.reach)*r.Float64())))
	a.breadth = min(len(features()), max(1, story.breadth-2+r.IntN(5)))

	age := c.Days + 60 + r.IntN(900)
	if a.Story == Stalled {
		age = min(c.Days, 28+r.IntN(24))
	}

	a.created = today.AddDate(0, 0, -age)
	a.begins = today.AddDate(0, 0, -min(age, c.Days-1))
	a.renewal = a.created.AddDate(1, 0, 0)

	for !a.renewal.After(a.begins) {
		a.renewal = a.renewal.AddDate(1, 0, 0)
	}
}

func (a *Account) user(n int) string { return a.ID + "-u" + strconv.Itoa(n+1) }

func pick[T any](r *rand.Rand, from ...T) T { return from[r.IntN(len(from))] }

// companyName makes up a name that is not taken yet.
func companyName(r *rand.Rand, taken map[string]bool) string {
	const tries = 20

	var name string

	for range tries {
		name = pick(r, "Amber", "Birch", "Cobalt", "Delta", "Ember", "Fjord", "Granite", "Harbor", "Indigo", "Juniper",
			"Kestrel", "Lumen", "Meridian", "Nimbus", "Orchard", "Pine", "Quarry", "River", "Saffron", "Tundra",
			"Umber", "Violet", "Willow", "Yarrow", "Zephyr", "Aspen", "Basalt", "Cedar", "Dune", "Echo") + " " +
			pick(r, "Analytics", "Bank", "Clinics", "Couriers", "Energy", "Foods", "Freight", "Games", "Group",
				"Hotels", "Insurance", "Labs", "Learning", "Logistics", "Media", "Mills", "Motors", "Networks",
				"Outfitters", "Partners", "Press", "Robotics", "Schools", "Software", "Solar", "Studios", "Supply",
				"Systems", "Textiles", "Travel")

		if !taken[name] {
			taken[name] = true

			return name
		}
	}

	name += " " + strconv.Itoa(len(taken)+1) // larger than every number before it
	taken[name] = true

	return name
}

func slug(name string) string { return strings.ToLower(strings.ReplaceAll(name, " ", "-")) }
