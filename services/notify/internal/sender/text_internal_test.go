package sender

import (
	"math"
	"strconv"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/require"
)

func TestCut(t *testing.T) {
	t.Parallel()
	require.Equal(t, "abc", cut("abc", 3))
	require.Equal(t, "ab…", cut("abcd", 3))
	require.Equal(t, "é𝄞", cut("é𝄞", 3), "a note counts twice")
	require.Equal(t, "é…", cut("é𝄞x", 3))
	require.Equal(t, "abc", cutBytes("abc", 3))
	require.Equal(t, "a…", cutBytes("aéé", 4))
	require.Equal(t, "ab…", slackCut("ab&amp;cd", 6), "no half of an escaped character")
	require.Equal(t, "ab…", slackCut("ab&am…", 60), "nor what a template left")
	require.Equal(t, "ab…", slackCut("ab…", 60))
	require.Equal(t, "ab …", slackCut("ab <https://x|y> cd", 10), "no half of a link")
	require.Equal(t, "a b", line(" a\r\n\tb\x00 "))
	require.Equal(t, "a\ufffdb", plain("a\xff\u202eb"))
}

func FuzzCut(f *testing.F) {
	f.Add("a&b<𝄞", 3)
	f.Fuzz(func(t *testing.T, text string, limit int) {
		limit = 1 + int(uint(limit)%5000)
		clean := slackClean(text)
		require.True(t, utf8.ValidString(clean))
		require.NotContains(t, clean, "<")
		require.LessOrEqual(t, units(slackCut(clean, limit)), limit)
		require.LessOrEqual(t, units(cut(plain(text), limit)), limit)
		require.LessOrEqual(t, len(cutBytes(plain(text), limit+2)), limit+2)
		require.True(t, utf8.ValidString(cutBytes(plain(text), limit+2)))
		require.Equal(t, plain(text), slackPlain(clean))
	})
}

func TestViewNumbers(t *testing.T) {
	t.Parallel()

	for value, want := range map[float64]string{
		0: "0", 1: "1", 37.5: "37.5", -12.25: "-12.25", 1.005: "1", -0.001: "0", 100: "100", 1e6: "1000000", math.Inf(1): "",
	} {
		require.Equal(t, want, viewNumber(&value))
	}

	require.Empty(t, viewNumber(nil))
	require.Equal(t, "+1", viewChange(1))
	require.Equal(t, "-1", viewChange(-1))

	for value, want := range map[float64]string{
		0: "0 EUR", 999: "999 EUR", 1000: "1,000 EUR", -1234567.6: "-1,234,568 EUR", -0.2: "0 EUR", 1e15: "",
	} {
		require.Equal(t, want, viewMoney(&value, "EUR"))
	}

	require.Empty(t, viewMoney(nil, "EUR"))
	require.Equal(t, "5", viewMoney(new(5.0), ""))
}

func TestWebURL(t *testing.T) {
	t.Parallel()

	for text, want := range map[string]string{
		"https://x.example/a?b=c&d": "https://x.example/a?b=c&d", "http://x": "http://x", "javascript:alert(1)": "", "/x": "", "": "",
		"https://": "", "https://x/a|b": "https://x/a%7Cb", "mailto:a@b": "",
	} {
		require.Equal(t, want, webURL(text), text)
	}
}

func TestTitles(t *testing.T) {
	t.Parallel()
	n := Sample()
	require.Equal(t, "[1 firing, 1 resolved] Acme Corp", defaultTitle(newView(n, plain)))

	n.Alerts[1].Alert.AccountId = "other"
	require.Equal(t, "[1 firing, 1 resolved] Acme Corp and another account", defaultTitle(newView(n, plain)))

	n.Truncated = 4
	require.Equal(t, "[1 firing, 1 resolved, 4 more] Acme Corp and others", defaultTitle(newView(n, plain)))

	n.Truncated, n.Alerts = 0, n.Alerts[:1]
	require.Equal(t, "[FIRING] Acme Corp: The score fell below 40", defaultTitle(newView(n, plain)))

	n.Alerts[0].Kind = 5
	require.Equal(t, "[FIRING] Acme Corp: escalated: The score fell below 40", defaultTitle(newView(n, plain)))

	n.Alerts[0].Alert.AccountId, n.Alerts[0].Alert.Source, n.Alerts[0].Alert.Subject = "", "usage", nil
	require.Contains(t, defaultTitle(newView(n, plain)), "source usage")

	n.Alerts = nil
	require.Equal(t, "Hale: no alerts", defaultTitle(newView(n, plain)))
}

func TestOwnTemplatesWork(t *testing.T) {
	t.Parallel()
	n := Sample()
	n.Truncated = 2
	text := defaultText(newView(n, plain))
	require.True(t, strings.HasPrefix(text, "FIRING critical: Acme Corp (acme)\n"))
	require.Contains(t, text, "and 2 more")

	v := &digestView{Lists: []digestList{{Name: "What fell", Rows: []digestRow{{"Acme", "https://x", "70 -> 30"}}, More: 3}, {Name: "Renewals", Empty: "None."}}}
	require.Equal(t, "What fell\n- Acme: 70 -> 30 https://x\nand 3 more\n\nRenewals\nNone.\n", v.text())

	page, err := (&htmlView{Title: "<x>", Digest: v}).render()
	require.NoError(t, err)
	require.Contains(t, page, "&lt;x&gt;")
}

func TestTakenIsBounded(t *testing.T) {
	t.Parallel()
	kept := newTaken()

	for i := range 3 * maxTaken {
		kept.add(strconv.Itoa(i), "part")
	}

	require.LessOrEqual(t, len(kept.parts), maxTaken)
	require.True(t, kept.has(strconv.Itoa(3*maxTaken-1), "part"))
	kept.forget(strconv.Itoa(3*maxTaken - 1))
	require.False(t, kept.has(strconv.Itoa(3*maxTaken-1), "part"))
}
