package reject_test

import (
	"encoding/hex"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"hale.dev/services/internal/reject"
)

func TestCodec(t *testing.T) {
	t.Parallel()

	t.Run("gives any entry back", func(t *testing.T) {
		t.Parallel()
		rapid.Check(t, func(t *rapid.T) {
			text := func(name string) string { return string(rapid.SliceOf(rapid.Byte()).Draw(t, name)) }
			want := reject.Reject{
				ID: "i" + text("id"), Workspace: text("workspace"), Code: text("code"), Field: text("field"),
				Message: text("message"), MessageID: text("message id"), AccountID: text("account"),
				Origin: text("origin"), Key: text("key"),
				Body:   rapid.SliceOfN(rapid.Byte(), 1, 99).Draw(t, "body"),
				Record: rapid.SliceOfN(rapid.Byte(), 1, 99).Draw(t, "record"),
			}
			got, err := reject.Decode(reject.Encode(&want))
			require.NoError(t, err)
			require.Equal(t, want, got)
		})
	})

	t.Run("has the bytes that it always had", func(t *testing.T) {
		t.Parallel()

		data := reject.Encode(&reject.Reject{ID: "i", Code: "c", Body: []byte("b"), Record: []byte("r")})
		require.Equal(t, "0a01691a01635201625a0172", hex.EncodeToString(data))
	})

	t.Run("passes over fields of a later version", func(t *testing.T) {
		t.Parallel()

		data := append(reject.Encode(&reject.Reject{ID: "i"}), 0x78, 0x05, 0xa2, 0x01, 0x01, 'x')
		got, err := reject.Decode(data)
		require.NoError(t, err)
		require.Equal(t, reject.Reject{ID: "i"}, got)
	})

	t.Run("refuses what it did not write", func(t *testing.T) {
		t.Parallel()

		for _, bad := range [][]byte{nil, {0x0a}, {0x0a, 0x05, 'x'}, {0x08}, {0xff}, []byte("\x12\x01w")} {
			_, err := reject.Decode(bad)
			require.ErrorIs(t, err, reject.ErrMalformed, "%x", bad)
		}
	})
}

func FuzzDecode(f *testing.F) {
	r := entry("w", "required", "1")
	f.Add(reject.Encode(&r))
	f.Fuzz(func(t *testing.T, data []byte) {
		got, err := reject.Decode(data)
		if err != nil {
			require.ErrorIs(t, err, reject.ErrMalformed)

			return
		}

		if len(got.Body) <= reject.MaxBodyBytes {
			again, err := reject.Decode(reject.Encode(&got))
			require.NoError(t, err)
			require.Equal(t, reject.Encode(&got), reject.Encode(&again))
		}
	})
}

func TestToken(t *testing.T) {
	t.Parallel()

	t.Run("of a plain name is the name", func(t *testing.T) {
		t.Parallel()

		for _, name := range []string{"default", "too_long", "A-1", "--", strings.Repeat("x", 64)} {
			require.Equal(t, name, reject.Token(name))
		}
	})

	t.Run("is always one safe token, and no two names share one", func(t *testing.T) {
		t.Parallel()

		seen := map[string]string{}

		for _, name := range []string{
			"", "-", ".", "*", ">", " ", "a.b", "a b", "ü", "\x00", "\xff", "~", "~0", strings.Repeat("x", 65),
			strings.Repeat("x", 300), "e3b0c44298fc1c149afbf4c8996fb924", "~e3b0c44298fc1c149afbf4c8996fb924",
		} {
			token := reject.Token(name)
			require.NotEmpty(t, token)
			require.LessOrEqual(t, len(token), 64)
			require.NotContains(t, seen, token)
			require.Empty(t, strings.Trim(token, "~-_abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"))
			seen[token] = name
		}
	})
}

func TestPlace(t *testing.T) {
	t.Parallel()

	place := reject.Place{Layout: "log-1", Partition: 1, Sequence: 23}
	require.Equal(t, "log-1-1-23-4-00000000000000ff", place.ID(4, 255))
	require.True(t, place.Holds(&reject.Reject{ID: place.ID(-1, 1)}))

	for _, other := range []reject.Place{
		{Layout: "log-1", Partition: 1, Sequence: 234},
		{Layout: "log-1", Partition: 11, Sequence: 23},
		{Layout: "log-2", Partition: 1, Sequence: 23},
		{Layout: "log-1", Partition: 1, Sequence: 2},
	} {
		require.False(t, place.Holds(&reject.Reject{ID: other.ID(4, 255)}))
	}
}
