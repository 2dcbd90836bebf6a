package config_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/spf13/pflag"
	"github.com/stretchr/testify/require"

	"hale.dev/services/internal/config"
)

// bundle is a set like that of the command line, with its variables.
type bundle struct {
	set     config.Set
	flags   *pflag.FlagSet
	addr    string
	sources []string
	wait    time.Duration
	bytes   int64
	check   bool
	ratio   float64
	count   int
	key     string
	nats    string
}

func setup() *bundle {
	b := &bundle{flags: pflag.NewFlagSet("hale", pflag.ContinueOnError)}
	b.set.String(&b.addr, "ingest.http", "127.0.0.1:8080", "address")
	b.set.Strings(&b.sources, "ingest.sources", []string{"usage", "login"}, "sources")
	b.set.Duration(&b.wait, "ingest.max_wait", 5*time.Millisecond, "longest wait")
	b.set.Size(&b.bytes, "log.max_bytes", 64<<30, "size of the log")
	b.set.Bool(&b.check, "check", false, "check only")
	b.set.Float(&b.ratio, "trace.ratio", 1, "share of traces")
	b.set.Int(&b.count, "log.streams", 1, "streams")
	b.set.String(&b.key, "client.key", "", "key", config.Secret(), config.Named("key"), config.Short("k"))
	b.set.String(&b.nats, "nats", "", "NATS")
	b.set.Ignore("HALE_CONFIG")
	b.set.AddFlags(b.flags, "ingest", "check", "log", "client")

	return b
}

func write(t *testing.T, lines ...string) string {
	t.Helper()

	file := filepath.Join(t.TempDir(), "hale.yaml")
	require.NoError(t, os.WriteFile(file, []byte(strings.Join(lines, "\n")), 0o600))

	return file
}

func (b *bundle) entry(key string) config.Entry {
	for _, e := range b.set.Entries() {
		if e.Key == key {
			return e
		}
	}

	return config.Entry{}
}

func TestPrecedence(t *testing.T) {
	t.Parallel()

	file := write(t, "ingest:", "  http: file:1")

	t.Run("the default stands when nobody sets anything", func(t *testing.T) {
		t.Parallel()

		b := setup()
		require.NoError(t, b.flags.Parse(nil))
		require.NoError(t, b.set.Load("", nil))
		require.Equal(t, "127.0.0.1:8080", b.addr)
		require.Equal(t, "default", b.entry("ingest.http").Origin)
	})

	t.Run("the file overrides the default", func(t *testing.T) {
		t.Parallel()

		b := setup()
		require.NoError(t, b.set.Load(file, nil))
		require.Equal(t, "file:1", b.addr)
		require.Equal(t, "file "+file+":2", b.entry("ingest.http").Origin)
	})

	t.Run("the environment overrides the file", func(t *testing.T) {
		t.Parallel()

		b := setup()
		require.NoError(t, b.set.Load(file, []string{"HALE_INGEST_HTTP=env:1"}))
		require.Equal(t, "env:1", b.addr)
		require.Equal(t, "environment HALE_INGEST_HTTP", b.entry("ingest.http").Origin)
	})

	t.Run("an empty variable sets nothing", func(t *testing.T) {
		t.Parallel()

		b := setup()
		require.NoError(t, b.set.Load(file, []string{"HALE_INGEST_HTTP="}))
		require.Equal(t, "file:1", b.addr)
	})

	t.Run("the flag overrides all", func(t *testing.T) {
		t.Parallel()

		b := setup()
		require.NoError(t, b.flags.Parse([]string{"--ingest-http", "flag:1"}))
		require.NoError(t, b.set.Load(file, []string{"HALE_INGEST_HTTP=env:1"}))
		require.Equal(t, "flag:1", b.addr)
		require.Equal(t, "flag --ingest-http", b.entry("ingest.http").Origin)
	})

	t.Run("a flag set to its default still overrides", func(t *testing.T) {
		t.Parallel()

		b := setup()
		require.NoError(t, b.flags.Parse([]string{"--ingest-http=127.0.0.1:8080"}))
		require.NoError(t, b.set.Load(file, nil))
		require.Equal(t, "127.0.0.1:8080", b.addr)
	})

	t.Run("a setting outside the command's groups comes from file and environment alone", func(t *testing.T) {
		t.Parallel()

		b := setup()
		require.Error(t, b.flags.Parse([]string{"--trace-ratio=0.5"}))
		require.NoError(t, b.set.Load("", []string{"HALE_TRACE_RATIO=0.5"}))
		require.InDelta(t, 0.5, b.ratio, 0)
	})
}

func TestValues(t *testing.T) {
	t.Parallel()

	t.Run("a file holds every kind of value", func(t *testing.T) {
		t.Parallel()

		b := setup()
		require.NoError(t, b.set.Load(write(t,
			"# all of it",
			"check: true",
			"ingest:",
			"  sources: [ticket, survey]",
			"  max_wait: 20ms",
			"  http:",
			"log: {max_bytes: 2GiB, streams: 16}",
			"trace:",
			"  ratio: 0.25",
			"client:",
			`  key: "k1"`,
		), nil))
		require.True(t, b.check)
		require.Equal(t, []string{"ticket", "survey"}, b.sources)
		require.Equal(t, 20*time.Millisecond, b.wait)
		require.Equal(t, "127.0.0.1:8080", b.addr, "an empty value sets nothing")
		require.EqualValues(t, 2<<30, b.bytes)
		require.Equal(t, 16, b.count)
		require.InDelta(t, 0.25, b.ratio, 0)
		require.Equal(t, "k1", b.key)
	})

	t.Run("a list replaces the list before it", func(t *testing.T) {
		t.Parallel()

		b := setup()
		require.NoError(t, b.set.Load("", []string{"HALE_INGEST_SOURCES=survey, account,"}))
		require.Equal(t, []string{"survey", "account"}, b.sources)
	})

	t.Run("a yes-or-no flag needs no value", func(t *testing.T) {
		t.Parallel()

		b := setup()
		require.NoError(t, b.flags.Parse([]string{"--check", "-k", "x"}))
		require.NoError(t, b.set.Load("", nil))
		require.True(t, b.check)
		require.Equal(t, "x", b.key)
	})

	t.Run("sizes are read and written with units", func(t *testing.T) {
		t.Parallel()

		for in, want := range map[string]string{
			"0": "0", "17": "17", "17B": "17", "1024": "1KiB", "3MiB": "3MiB", "1500kB": "1500kB", "1000": "1kB",
			"64 GiB": "64GiB", "2TB": "2TB", "1048576": "1MiB",
		} {
			b := setup()
			require.NoError(t, b.set.Load("", []string{"HALE_LOG_MAX_BYTES=" + in}), in)
			require.Equal(t, want, b.entry("log.max_bytes").Value, in)
		}
	})

	for variable, want := range map[string]string{
		"HALE_LOG_MAX_BYTES=-1":                     "must be a size",
		"HALE_LOG_MAX_BYTES=9223372036854775807TiB": "must be a size",
		"HALE_LOG_STREAMS=many":                     "must be a whole number",
		"HALE_TRACE_RATIO=NaN":                      "must be a number",
		"HALE_INGEST_MAX_WAIT=5":                    "must be a duration",
		"HALE_CHECK=maybe":                          "must be true or false",
	} {
		t.Run("refuses "+variable, func(t *testing.T) {
			t.Parallel()
			require.ErrorContains(t, setup().set.Load("", []string{variable}), want)
		})
	}
}

func TestMistakes(t *testing.T) {
	t.Parallel()

	t.Run("an unknown key is an error with its line", func(t *testing.T) {
		t.Parallel()

		file := write(t, "ingest:", "  http: x:1", "  htpp: x:2", "surprise: 1")
		err := setup().set.Load(file, nil)
		require.ErrorIs(t, err, config.ErrUnknown)
		require.ErrorContains(t, err, file+":3: ingest.htpp")
		require.ErrorContains(t, err, file+":4: surprise")

		var typed *config.Error

		require.ErrorAs(t, err, &typed)
		require.Equal(t, "ingest.htpp", typed.Key)
	})

	t.Run("an unknown variable is an error", func(t *testing.T) {
		t.Parallel()

		err := setup().set.Load("", []string{"HALE_INGST_HTTP=x", "PATH=/bin"})
		require.ErrorIs(t, err, config.ErrUnknown)
		require.ErrorContains(t, err, "HALE_INGST_HTTP")
	})

	t.Run("variables that Kubernetes sets for services named hale are left alone", func(t *testing.T) {
		t.Parallel()
		require.NoError(t, setup().set.Load("", []string{
			"HALE_INGEST_SERVICE_HOST=10.0.0.1", "HALE_INGEST_SERVICE_PORT=8080", "HALE_INGEST_SERVICE_PORT_HTTP=8080",
			"HALE_INGEST_PORT=tcp://10.0.0.1:8080", "HALE_INGEST_PORT_8080_TCP=tcp://10.0.0.1:8080",
			"HALE_INGEST_PORT_8080_TCP_ADDR=10.0.0.1", "HALE_INGEST_PORT_8080_TCP_PROTO=tcp", "HALE_CONFIG=x",
		}))
	})

	t.Run("variables that hold secrets of receivers are left alone", func(t *testing.T) {
		t.Parallel()
		require.NoError(t, setup().set.Load("", []string{"HALE_SECRET_HOOK=whsec_x"}))
		require.ErrorIs(t, setup().set.Load("", []string{"HALE_SECRETS=x"}), config.ErrUnknown)
	})

	for name, lines := range map[string][]string{
		"a key given twice":            {"nats: a", "nats: b"},
		"a map where a value belongs":  {"nats:", "  url: x"},
		"a value where a map belongs":  {"ingest: 1"},
		"a list at the top":            {"- nats"},
		"a list inside a list":         {"ingest:", "  sources: [[a]]"},
		"broken YAML":                  {"ingest: ["},
		"a key that is not plain text": {"1: 2"},
		"a wrong value":                {"log:", "  streams: x"},
	} {
		t.Run(name+" is an error that names the file", func(t *testing.T) {
			t.Parallel()

			file := write(t, lines...)
			require.ErrorContains(t, setup().set.Load(file, nil), file)
		})
	}

	t.Run("an empty file is fine", func(t *testing.T) {
		t.Parallel()
		require.NoError(t, setup().set.Load(write(t, "# nothing yet"), nil))
		require.NoError(t, setup().set.Load(write(t, ""), nil))
	})

	t.Run("a missing file is an error", func(t *testing.T) {
		t.Parallel()
		require.ErrorIs(t, setup().set.Load(filepath.Join(t.TempDir(), "no.yaml"), nil), os.ErrNotExist)
	})

	t.Run("two settings never share a name", func(t *testing.T) {
		t.Parallel()

		b := setup()
		require.Panics(t, func() { b.set.String(new(string), "ingest-http", "", "the same flag") })
	})
}

func TestEntries(t *testing.T) {
	t.Parallel()

	b := setup()
	require.NoError(t, b.set.Load("", []string{"HALE_KEY=secret", "HALE_NATS=nats://u:p@a:1,nats://token@b:2,nats://c:3"}))
	require.Equal(t, config.Hidden, b.entry("client.key").Value)
	require.Equal(t, "nats://(hidden)@a:1,nats://(hidden)@b:2,nats://c:3", b.entry("nats").Value)
	require.Equal(t, config.Entry{
		Key: "ingest.max_wait", Flag: "ingest-max-wait", Variable: "HALE_INGEST_MAX_WAIT",
		Value: "5ms", Default: "5ms", Origin: "default", Usage: "longest wait",
	}, b.entry("ingest.max_wait"))
}
