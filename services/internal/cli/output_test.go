package cli

import (
	"bytes"
	"io"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestTable(t *testing.T) {
	t.Parallel()

	t.Run("columns are as wide as their widest cell, numbers at the right", func(t *testing.T) {
		t.Parallel()

		table := table{columns: []column{{name: "NAME"}, {name: "SCORE", right: true}, {name: "OWNER"}}}
		table.add("ünï", "7.5", "a")
		table.add("東京", "100.0", "")

		var out bytes.Buffer
		require.NoError(t, table.write(&out))
		require.Equal(t, "NAME  SCORE  OWNER\nünï     7.5  a\n東京  100.0\n", out.String())
	})

	t.Run("what comes from outside cannot command the terminal", func(t *testing.T) {
		t.Parallel()

		require.Equal(t, `a\x1b[2Jb\nc`, printable("a\x1b[2Jb\nc"))
		require.Equal(t, `say "hi"\u202e`, printable("say \"hi\"\u202e"))
		require.Equal(t, "plain ü 東", printable("plain ü 東"))
	})
}

func TestPrinter(t *testing.T) {
	t.Parallel()

	type thing struct {
		Name  string   `json:"name"`
		Score *float64 `json:"score"`
	}

	score := 12.5
	things := []thing{{"a<b", &score}, {"c", nil}}

	for format, want := range map[string]string{
		formatJSON:  "[\n  {\n    \"name\": \"a<b\",\n    \"score\": 12.5\n  },\n  {\n    \"name\": \"c\",\n    \"score\": null\n  }\n]\n",
		formatJSONL: "{\"name\":\"a<b\",\"score\":12.5}\n{\"name\":\"c\",\"score\":null}\n",
		formatYAML:  "- name: a<b\n  score: 12.5\n- name: c\n  score: null\n",
		formatTable: "drawn\n",
	} {
		t.Run("writes lists as "+format, func(t *testing.T) {
			t.Parallel()

			var out bytes.Buffer
			require.NoError(t, many(printer{&out, format}, things, func(w io.Writer) error {
				_, err := io.WriteString(w, "drawn\n")

				return err
			}))
			require.Equal(t, want, out.String())
		})
	}

	t.Run("no things are an empty list", func(t *testing.T) {
		t.Parallel()

		var out bytes.Buffer
		require.NoError(t, many[thing](printer{&out, formatJSON}, nil, nil))
		require.Equal(t, "[]\n", out.String())
	})
}

func TestEventJSON(t *testing.T) {
	t.Parallel()

	t.Run("fields get the type that their name asks for", func(t *testing.T) {
		t.Parallel()

		text, err := eventJSON("account", eventFlags{account: "acme", id: "m1", time: "2026-01-02T03:04:05Z"},
			[]string{"name=123", "seats=25", "plan=", "traits.size=7", "traits.vip=true", "traits.note=x=y"})
		require.NoError(t, err)
		require.JSONEq(t, `{"type":"account","id":"m1","account":"acme","time":"2026-01-02T03:04:05Z",
			"name":"123","seats":25,"plan":null,"traits":{"size":7,"vip":true,"note":"x=y"}}`, string(text))
	})

	t.Run("without an id each event gets its own", func(t *testing.T) {
		t.Parallel()

		a, err := eventJSON("login", eventFlags{account: "acme"}, nil)
		require.NoError(t, err)
		b, err := eventJSON("login", eventFlags{account: "acme"}, nil)
		require.NoError(t, err)
		require.NotEqual(t, string(a), string(b))
	})

	t.Run("what is not NAME=VALUE is a usage error", func(t *testing.T) {
		t.Parallel()

		_, err := eventJSON("login", eventFlags{}, []string{"method"})
		require.Equal(t, exitUsage, exitCode(err))
	})
}

func TestQuote(t *testing.T) {
	t.Parallel()
	require.Equal(t, "./data/credentials.yaml", quote("./data/credentials.yaml"))
	require.Equal(t, `'my data'`, quote("my data"))
	require.Equal(t, `'it'\''s'`, quote("it's"))
	require.Equal(t, `''`, quote(""))
}

func TestParseServer(t *testing.T) {
	t.Parallel()

	for in, want := range map[string]struct {
		target string
		secure bool
	}{
		"127.0.0.1:9090":       {"127.0.0.1:9090", false},
		"http://h:9090":        {"h:9090", false},
		"https://h":            {"h:443", true},
		"https://h.example:99": {"h.example:99", true},
	} {
		target, secure, err := parseServer(in)
		require.NoError(t, err)
		require.Equal(t, want.target, target)
		require.Equal(t, want.secure, secure)
	}

	_, _, err := parseServer("ftp://h")
	require.Equal(t, exitUsage, exitCode(err))
}
