package oracle_test

import (
	"bytes"
	"encoding/binary"
	"slices"

	"github.com/stretchr/testify/require"

	"hale.dev/services/internal/store"
	"hale.dev/services/internal/wire"
)

// timers are the keys of the chunks of timers. What they hold depends on when an account was brought up to date: what it
// asked for and took back may still be there. What it asks for now always is, which is checked here.
func (e *engine) timers() []string {
	first := store.TimerKey(0)[:1]
	keys := slices.DeleteFunc(e.partition.LoadKeys(), func(key string) bool { return key[:1] != first })
	asked := map[string][]int64{}
	for _, chunk := range e.backend.read(keys...) {
		r := wire.NewReader(chunk)
		for r.Len() > 0 {
			at := r.Varint()
			id := r.Text()
			asked[id] = append(asked[id], at)
		}
		require.True(e.t, r.Done())
	}
	for _, id := range e.ids() {
		if at := e.Get(id).Timer(); at != 0 {
			require.Greater(e.t, at, e.partition.LogTime, "a timer that was due has rung")
			require.Contains(e.t, asked[id], at, "account %s is woken when it asked for it", id)
		}
	}
	return keys
}

// withoutTimers is the stored state but for the hours that it ends with: those of the chunks of timers.
func (e *engine) withoutTimers(state []byte, timers []string) []byte {
	end := binary.AppendUvarint(nil, uint64(len(timers)))
	for _, key := range timers {
		end = binary.AppendVarint(end, int64(binary.BigEndian.Uint64([]byte(key[1:]))))
	}
	rest, ok := bytes.CutSuffix(state, end)
	require.True(e.t, ok)
	return rest
}
