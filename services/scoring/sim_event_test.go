package scoring

import (
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"sync"

	"google.golang.org/protobuf/types/known/timestamppb"
	"pgregory.net/rapid"

	eventv1 "hale.dev/proto/gen/hale/event/v1"
	logv1 "hale.dev/proto/gen/hale/log/v1"
	"hale.dev/services/internal/eventlog"
	"hale.dev/services/internal/oracle"
	"hale.dev/services/internal/scorecard"
)

// simBodies are what events tell: those that the oracle's generator makes.
var simBodies = sync.OnceValue(func() (bodies []*eventv1.Event) {
	logs := rapid.Custom(func(t *rapid.T) []oracle.Message { return oracle.GenLog(t, oracle.GenOptions{NoLoads: true}) })
	for seed := 1; len(bodies) < 400; seed++ {
		for _, m := range logs.Example(seed) {
			for _, r := range m.Records {
				if e := r.GetEvent(); e != nil {
					bodies = append(bodies, e)
				}
			}
		}
	}
	return bodies
})

// simDocuments are scorecards that may be put in force; the last cannot be.
var simDocuments = sync.OnceValue(func() [][]byte {
	const mood = `
milestones:
  - feature: invite
    due_day: 0
scorecards:
  - name: mood
    connected: []
    dimensions:
      - name: sentiment
        weight: 70
        measures: [{name: nps, weight: 30}, {name: csat, weight: 25}, {name: ces, weight: 15}]
      - name: engagement
        weight: 30
        measures: [{name: days_since_seen, weight: 30}]
`
	return [][]byte{scorecard.ShippedDocument(), []byte(mood), []byte("scorecards: [")}
})

// simAccount is where an event can go.
type simAccount struct{ workspace, account string }

// simAccounts are the accounts of a partition: for live events, and for loads.
func simAccounts(layout eventlog.Layout, partition int) (live, old []simAccount) {
	for i := 0; len(live) < 4 || len(old) < 2; i++ {
		a := simAccount{[]string{"default", "other"}[i%2], fmt.Sprintf("a%d", i)}
		if layout.Partition(a.workspace, a.account) != partition {
			continue
		}
		if len(live) < 4 {
			live = append(live, a)
		} else {
			old = append(old, a)
		}
	}
	return live, old
}

// simClient writes events: new ones, and again what it may have written before.
type simClient struct {
	sim     *simulation
	live    [simPartitions][]simAccount
	old     [simPartitions][]simAccount
	past    [simPartitions][]*logv1.Record
	number  int
	version uint64
}

func newSimClient(s *simulation) *simClient {
	c := &simClient{sim: s}
	for p := range simPartitions {
		c.live[p], c.old[p] = simAccounts(s.log.layout, p)
	}
	return c
}

// write puts a message that arg decides into the log of a partition.
func (c *simClient) write(partition int, arg uint64) {
	r := rand.New(rand.NewPCG(arg, 1))
	if r.IntN(100) == 0 {
		data := binary.BigEndian.AppendUint64(nil, arg)
		c.sim.log.add(&eventlog.Message{Partition: partition, Data: data, Err: eventlog.ErrPoison})
		return
	}
	var records []*logv1.Record
	for range 1 + r.IntN(4) {
		records = append(records, c.record(partition, r))
	}
	c.sim.append(partition, records...)
}

func (c *simClient) record(partition int, r *rand.Rand) *logv1.Record {
	past := c.past[partition]
	account := c.live[partition][r.IntN(len(c.live[partition]))]
	switch n := r.IntN(100); {
	case n < 18 && len(past) > 0:
		return past[len(past)-1-r.IntN(min(len(past), 12))]
	case n < 20:
		return &logv1.Record{Workspace: account.workspace, Origin: "nobody knows this kind"}
	case n < 22:
		return tickRecord()
	case n < 24:
		c.version++
		documents := simDocuments()
		return &logv1.Record{Workspace: account.workspace, Payload: &logv1.Record_SetScorecards{
			SetScorecards: &logv1.SetScorecards{Version: c.version, Document: documents[r.IntN(len(documents))]},
		}}
	case n < 30:
		account = c.old[partition][r.IntN(len(c.old[partition]))]
		return c.event(partition, account, r, c.load())
	case n < 31:
		return &logv1.Record{Workspace: account.workspace, Payload: &logv1.Record_CloseLoad{
			CloseLoad: &logv1.CloseLoad{Historical: c.load()},
		}}
	case n < 35:
		return c.command(account, r)
	}
	return c.event(partition, account, r, "")
}

// load is the name of the historical load under way: another one every few days.
func (c *simClient) load() string {
	return fmt.Sprintf("load-%d", c.sim.wall().Unix()/(2*24*3600))
}

func (c *simClient) event(partition int, to simAccount, r *rand.Rand, load string) *logv1.Record {
	const hour = 3600
	bodies := simBodies()
	body := bodies[r.IntN(len(bodies))]
	c.number++
	at := c.sim.wall().Unix()
	switch n := r.IntN(20); {
	case load != "":
		at -= int64(r.IntN(60*24)) * hour
	case n < 4:
		at -= int64(r.IntN(7*24)) * hour
	case n == 4:
		at -= 8 * 24 * hour
	case n == 5:
		at += 2 * hour
	}
	record := &logv1.Record{Workspace: to.workspace, Origin: "simulated", Payload: &logv1.Record_Event{Event: &eventv1.Event{
		MessageId: fmt.Sprintf("m%d", c.number), AccountId: to.account, UserId: body.GetUserId(), Historical: load,
		OccurredAt: &timestamppb.Timestamp{Seconds: at}, Body: body.GetBody(),
	}}}
	c.past[partition] = append(c.past[partition], record)
	return record
}

func tickRecord() *logv1.Record {
	return &logv1.Record{Payload: &logv1.Record_Tick{Tick: &logv1.Tick{}}}
}

// settles reports whether a message may have to wait for the end of a sweep.
func settles(m *eventlog.Message) bool {
	for _, r := range m.Records {
		if r.GetSetScorecards() != nil {
			return true
		}
	}
	return false
}
