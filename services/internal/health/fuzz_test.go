package health_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"hale.dev/services/internal/health"
	"hale.dev/services/internal/scorecard"
)

// FuzzDecode reads any bytes as an account: an error, or one that works.
func FuzzDecode(f *testing.F) {
	f.Add([]byte{}, []byte{})
	f.Add([]byte{1, 0}, []byte{})
	f.Add(typical(f).Encode(nil, nil), []byte{})
	big := apply(f, health.New(), repeated(300, func(i int) fact {
		return on(i%30, login(string(rune('a'+i%26))+string(rune('a'+i/26))))
	})...)
	var last []byte
	main := big.Encode(func(_ uint32, b []byte) { last = b }, nil)
	f.Add(main, last)
	f.Fuzz(func(t *testing.T, main, part []byte) {
		if _, err := health.Parts(main); err != nil {
			require.ErrorIs(t, err, health.ErrCorrupt)
		}
		requireUsable(t, main, func(uint32) []byte { return part })
	})
}

// requireUsable reads an account: an error, or one that works.
func requireUsable(t *testing.T, main []byte, part func(uint32) []byte) {
	t.Helper()
	a, err := health.Decode(main, part)
	if err != nil {
		require.ErrorIs(t, err, health.ErrCorrupt)
		return
	}
	set := scorecard.Shipped()
	a.Explain(set)
	a.Profile()
	a.Size()
	for _, f := range []fact{on(0, login("u")), on(3, ticket("t", opened)), on(1, joined("u", "v")), on(1, role("v", "champion"))} {
		a.Apply(f.ev, f.time())
	}
	a.Evaluate(set)
	if a.Day() < a.Day()+2 {
		a.Roll(a.Day()+2, set, func(health.Row) {})
	}
	parts := map[uint32][]byte{}
	main = a.Encode(func(n uint32, v []byte) { parts[n] = v }, func(uint32) {})
	if len(parts) > 0 {
		return // only those that changed
	}
	_, err = health.Decode(main, part)
	require.NoError(t, err)
}

// FuzzDecodeRows reads any bytes as history.
func FuzzDecodeRows(f *testing.F) {
	f.Add([]byte{})
	f.Add(health.AppendRow(nil, health.Row{Day: today(), Card: "standard", Score: known(1), Band: health.BandSteady}))
	f.Add(health.AppendRow(nil, health.Row{Day: -1, Card: "of our own", Coverage: 3}))
	f.Fuzz(func(t *testing.T, b []byte) {
		rows, err := health.DecodeRows(b)
		if err != nil {
			require.ErrorIs(t, err, health.ErrCorrupt)
			return
		}
		var again []byte
		for _, r := range rows {
			again = health.AppendRow(again, r)
		}
		back, err := health.DecodeRows(again)
		require.NoError(t, err)
		require.Equal(t, rows, back)
	})
}
