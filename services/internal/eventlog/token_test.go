package eventlog_test

import (
	"encoding/base64"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"hale.dev/services/internal/eventlog"
)

func testLayout() eventlog.Layout {
	return eventlog.Layout{ID: "abcdefghijkl", Partitions: 16, Streams: 1, Replicas: 1}
}

func pairs(t eventlog.Token) map[int]uint64 {
	all := map[int]uint64{}
	t.Each(func(partition int, seq uint64) { all[partition] = seq })

	return all
}

func TestToken(t *testing.T) {
	t.Parallel()

	t.Run("comes back from its text", func(t *testing.T) {
		t.Parallel()
		rapid.Check(t, func(t *rapid.T) {
			layout := testLayout()
			want := rapid.MapOfN(rapid.IntRange(0, 15), rapid.Uint64Min(1), 1, 16).Draw(t, "places")

			var token eventlog.Token
			for partition, seq := range want {
				token.Merge(eventlog.NewToken(layout.ID, uint64(partition), seq))
			}

			got, err := eventlog.ParsePlace(token.String(), layout)
			require.NoError(t, err)
			require.Equal(t, want, pairs(got))
			require.Equal(t, token.String(), got.String())
		})
	})

	t.Run("stays short and has one form for ever", func(t *testing.T) {
		t.Parallel()

		token := eventlog.NewToken("abcdefghijkl", 0, 1, 3, 300, 15, 1_000_000)
		require.Equal(t, "AQxhYmNkZWZnaGlqa2wAAQOsAgzAhD0", token.String())
	})

	t.Run("of another log is unknown", func(t *testing.T) {
		t.Parallel()

		token := eventlog.NewToken("mnopqrstuvwx", 1, 5)
		_, err := eventlog.ParsePlace(token.String(), testLayout())
		require.ErrorIs(t, err, eventlog.ErrTokenUnknown)
	})

	t.Run("is empty without places, and the empty text is no token", func(t *testing.T) {
		t.Parallel()
		require.Empty(t, eventlog.Token{}.String())

		_, err := eventlog.ParsePlace("", testLayout())
		require.ErrorIs(t, err, eventlog.ErrTokenUnknown)
	})

	t.Run("merges to the later place of each partition", func(t *testing.T) {
		t.Parallel()

		token := eventlog.NewToken("a", 1, 10, 2, 20)
		token.Merge(eventlog.NewToken("a", 0, 5, 1, 9, 2, 21))
		require.Equal(t, map[int]uint64{0: 5, 1: 10, 2: 21}, pairs(token))

		token.Merge(eventlog.NewToken("b", 1, 99))
		token.Merge(eventlog.Token{})
		require.Equal(t, map[int]uint64{0: 5, 1: 10, 2: 21}, pairs(token), "another log's places say nothing")
	})

	t.Run("does not share its places with the one it was merged from", func(t *testing.T) {
		t.Parallel()

		from := eventlog.NewToken("a", 1, 10)

		var to eventlog.Token
		to.Merge(from)
		to.Merge(eventlog.NewToken("a", 1, 11))
		require.Equal(t, map[int]uint64{1: 10}, pairs(from))
	})
}

func TestMalformedToken(t *testing.T) {
	t.Parallel()

	raw := func(b ...byte) string { return base64.RawURLEncoding.EncodeToString(b) }
	head := append([]byte{1, 12}, "abcdefghijkl"...)
	with := func(b ...byte) string { return raw(append(append([]byte{}, head...), b...)...) }

	for name, text := range map[string]string{
		"no base64":                      "!!!",
		"padding":                        "AQ==",
		"another version":                raw(2, 1, 'a'),
		"no id":                          raw(1),
		"an id longer than the rest":     raw(1, 200, 1),
		"an endless length":              raw(1, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255),
		"no place":                       with(),
		"a partition without sequence":   with(1),
		"a sequence of zero":             with(1, 0),
		"a partition beyond the layout":  with(16, 1),
		"partitions that add up to more": with(15, 1, 1, 1),
		"a partition twice":              with(1, 1, 0, 2),
		"a cut varint":                   with(1, 0x80),
		"a text that is far too long":    string(make([]byte, 100_000)),
	} {
		t.Run(name+" is unknown", func(t *testing.T) {
			t.Parallel()

			_, err := eventlog.ParsePlace(text, testLayout())
			require.ErrorIs(t, err, eventlog.ErrTokenUnknown)
		})
	}
}

func FuzzParseToken(f *testing.F) {
	f.Add(eventlog.NewToken("abcdefghijkl", 0, 1, 3, 300).String())
	f.Add("AQxhYmNkZWZnaGlqa2w")
	f.Fuzz(func(t *testing.T, text string) {
		token, err := eventlog.ParsePlace(text, testLayout())
		if err != nil {
			require.ErrorIs(t, err, eventlog.ErrTokenUnknown)

			return
		}

		again, err := eventlog.ParsePlace(token.String(), testLayout())
		require.NoError(t, err)
		require.Equal(t, pairs(token), pairs(again))
	})
}
