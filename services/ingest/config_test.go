package ingest

import (
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestConfig(t *testing.T) {
	t.Parallel()

	good := filepath.Join(t.TempDir(), "good.yaml")
	require.NoError(t, os.WriteFile(good, shippedMapping, 0o600))

	tests := []struct {
		name string
		cfg  Config
		want string // part of the error; empty: none
	}{
		{"the zero value", Config{}, ""},
		{"other loopback addresses", Config{HTTP: "[::1]:0", GRPC: "localhost:0"}, ""},
		{"one listener", Config{GRPC: Off}, ""},
		{"a mapping of one's own", Config{Mapping: good}, ""},
		{"a public address that is allowed", Config{HTTP: ":0", AllowPublic: true}, ""},
		{"a public address", Config{HTTP: "0.0.0.0:80"}, "can be reached from other machines"},
		{"every address", Config{GRPC: ":80"}, "can be reached from other machines"},
		{"a name", Config{HTTP: "example.org:80"}, "can be reached from other machines"},
		{"no address", Config{HTTP: "80"}, "is no address"},
		{"nothing to serve", Config{HTTP: Off, GRPC: Off}, "both off"},
		{"an unknown source", Config{Sources: []string{"usage", "x"}}, `"x" is none of usage, login`},
		{"half of TLS", Config{TLSCert: "x"}, "need each other"},
		{"TLS that is not there", Config{TLSCert: "x", TLSKey: "y"}, "reading the certificate"},
		{"too small a budget", Config{InFlightMiB: 1}, "in_flight_mib"},
		{"no queue", Config{QueueMiB: -1}, "queue_mib"},
		{"a negative drain", Config{Drain: -1}, "drain"},
		{"a mapping that is not there", Config{Mapping: "nowhere"}, "reading the mapping"},
	}

	for _, tc := range tests {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()

			err := tc.cfg.Validate()
			if tc.want == "" {
				require.NoError(t, err)

				return
			}

			require.ErrorContains(t, err, tc.want)
		})
	}
}

func TestNewOpensNothingTwice(t *testing.T) {
	t.Parallel()

	b := newBundle(t, Config{})

	_, err := New(Config{HTTP: "127.0.0.1:0", GRPC: b.service.GRPCAddr().String()}, b.deps)
	require.ErrorContains(t, err, "listening")

	var lost *net.OpError

	require.ErrorAs(t, err, &lost)

	s, err := New(Config{HTTP: "127.0.0.1:0", GRPC: Off}, b.deps)
	require.NoError(t, err)
	require.ErrorIs(t, s.Ready(), errStarting)
	require.Nil(t, s.GRPCAddr())
	require.NoError(t, s.Close())
	require.ErrorIs(t, s.Ready(), errStopping)
}

func TestMapping(t *testing.T) {
	t.Parallel()

	t.Run("the shipped one holds Segment's names", func(t *testing.T) {
		t.Parallel()

		m, err := loadMapping("")
		require.NoError(t, err)

		for name, want := range map[string]kind{
			"Signed In": kindLogin, "Signed Up": kindLogin, "Account Created": kindAccount, "Account Deleted": kindAccount,
			"Account Added User": kindUser, "Ticket Opened": kindTicket, "NPS Submitted": kindSurvey, "Meeting Held": kindInteraction,
		} {
			require.NotNil(t, m.find(name), name)
			require.Equal(t, want, m.find(name).kind, name)
		}

		for _, name := range []string{"Signed Out", "Trial Started", "Invite Sent", "signed in"} {
			require.Nil(t, m.find(name), name)
		}
	})

	head := "version: 1\nevents:\n  - names: [E]\n    "
	for name, tc := range map[string]struct{ doc, want string }{
		"no version":                {"events: []", "version must be 1"},
		"a later version":           {"version: 2", "version must be 1"},
		"an unknown key":            {"version: 1\nevent: []", "unknown field"},
		"no YAML":                   {"{", "mapping"},
		"no names":                  {"version: 1\nevents: [{kind: login}]", "events[0]: names must list"},
		"an empty name":             {"version: 1\nevents: [{names: [\"\"], kind: login}]", "empty name"},
		"an unknown kind":           {head + "kind: dance", `kind "dance" is none of`},
		"a name twice":              {"version: 1\nevents: [{names: [E, E], kind: login}]", `"E" is mapped twice`},
		"a field that is not there": {head + "kind: login\n    set: {colour: red}", "set.colour: the kind has no such field"},
		"a value that does not fit": {head + "kind: ticket\n    set: {action: dance}", "set.action: must be one of opened"},
		"a value that is a list":    {head + "kind: login\n    set: {method: [a]}", "set.method: must be a string"},
		"from what is not there":    {head + "kind: login\n    from: {colour: [a]}", "from.colour: a login has no such field"},
		"from traits":               {head + "kind: user\n    from: {traits: [a]}", "from.traits"},
		"too large":                 {strings.Repeat("#", maxMapping+1), "larger than 1 MiB"},
	} {
		t.Run(name+" is an error", func(t *testing.T) {
			t.Parallel()

			_, err := parseMapping([]byte(tc.doc))
			require.ErrorIs(t, err, errMapping)
			require.ErrorContains(t, err, tc.want)
		})
	}

	t.Run("paths lead into objects, and the first that finds something counts", func(t *testing.T) {
		t.Parallel()

		m, err := parseMapping([]byte(head + "kind: ticket\n    set: {action: closed, rating: 5}\n    from: {ticket: [x.id, a.b.c, d]}"))
		require.NoError(t, err)

		body := `{"event":"E","groupId":"g","messageId":"m","properties":{"x":{"id":null},"a":{"b":{"c":7}},"d":"no"}}`
		cs, p := parseCall([]byte(body), "track")
		require.Nil(t, p)

		sg := segment{mapping: m, arrival: now}
		e := sg.entries(cs)[0]
		require.Nil(t, e.bad)
		require.Equal(t, "7", e.event.GetTicket().GetTicketId())
		require.Equal(t, int32(5), e.event.GetTicket().GetRating())
	})
}
