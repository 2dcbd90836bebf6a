package snapshot_test

import (
	"bytes"
	"errors"
	"testing"

	"github.com/stretchr/testify/require"

	"hale.dev/services/internal/snapshot"
)

// FuzzReader reads whole snapshots, and what their compressed part may hold.
func FuzzReader(f *testing.F) {
	good := encode(f, header(), meta(1), entry(1), entry(2), snapshot.Entry{Key: "account-1", Removed: true})
	f.Add(good, false)
	f.Add(good[:len(good)-9], false)
	f.Add(snapshot.Seal(2, nil), false)
	f.Add(snapshot.Body(good), true)
	f.Add([]byte{0, 1, 1, 'k', 0xff, 0xff, 0xff, 0xff, 0x0f}, true)
	f.Fuzz(func(t *testing.T, data []byte, seal bool) {
		if seal {
			data = snapshot.Seal(1, data)
		}

		h, state, m, err := decode(bytes.NewReader(data))
		if err != nil {
			require.True(t, errors.Is(err, snapshot.ErrDamaged) || errors.Is(err, snapshot.ErrFormat), err)

			return
		}

		var all []snapshot.Entry
		for k, v := range state {
			all = append(all, snapshot.Entry{Key: k, Value: []byte(v)})
		}

		h2, state2, m2, err := decode(bytes.NewReader(encode(t, h, m, all...)))
		require.NoError(t, err)
		require.Equal(t, h, h2)
		require.Equal(t, state, state2)
		require.Equal(t, m, m2)
	})
}
