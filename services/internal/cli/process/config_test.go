package process

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestValidate(t *testing.T) {
	t.Parallel()

	lone := Config{NATS: "nats://127.0.0.1:4222", Redis: "redis://127.0.0.1:6379"}

	for name, c := range map[string]struct {
		config   Config
		services []Service
		want     string // empty: good
	}{
		"the zero value runs everything":      {Config{}, All(), ""},
		"everything may use NATS and Redis":   {lone, All(), ""},
		"scoring alone works with both":       {lone, []Service{Scoring}, ""},
		"ingest alone needs no Redis":         {Config{NATS: "nats://h:1,nats://i:2"}, []Service{Ingest}, ""},
		"ingest alone needs NATS":             {Config{}, []Service{Ingest}, "ingest needs --nats URL"},
		"scoring alone needs NATS":            {Config{Redis: lone.Redis}, []Service{Scoring}, "scoring needs --nats URL"},
		"scoring alone needs Redis":           {Config{NATS: lone.NATS}, []Service{Scoring}, "scoring needs --redis URL"},
		"query alone needs Redis":             {Config{NATS: lone.NATS}, []Service{Query}, "query needs --redis URL"},
		"notify alone needs no Redis":         {Config{NATS: lone.NATS}, []Service{Notify}, ""},
		"notify alone needs NATS":             {Config{}, []Service{Notify}, "notify needs --nats URL"},
		"notify's own checks count":           {lone.with(func(c *Config) { c.Notify.ConsoleURL = "x" }), All(), "console_url"},
		"a NATS URL needs its scheme":         {Config{NATS: "127.0.0.1:4222"}, All(), "nats: must be nats://host:port"},
		"a Redis URL is checked":              {Config{Redis: "http://x"}, All(), "redis"},
		"the admin address must be one":       {Config{Admin: "9099"}, All(), `admin "9099": must be host:port`},
		"the admin address stays on loopback": {Config{Admin: "0.0.0.0:9099"}, All(), "--admin-allow-public"},
		"the admin address may leave it":      {Config{Admin: ":9099", AdminAllowPublic: true}, All(), ""},
		"the admin address may be ::1":        {Config{Admin: "[::1]:0"}, All(), ""},
		"a cap of NOTIFY is not negative":     {lone.with(func(c *Config) { c.Notify.MaxBytes = -1 }), All(), "notify: max_bytes"},
		"partitions must not be negative":     {Config{Events: Events{Partitions: -1}}, All(), "must not be negative"},
		"only what runs is checked":           {lone.with(func(c *Config) { c.Query.GRPC = "x" }), []Service{Scoring}, ""},
		"what runs is checked":                {lone.with(func(c *Config) { c.Query.GRPC = "x" }), []Service{Query}, "query"},
		"ingest's own checks count":           {lone.with(func(c *Config) { c.Ingest.Sources = []string{"x"} }), All(), "sources"},
		"scoring's own checks count":          {lone.with(func(c *Config) { c.Scoring.CacheMiB = -1 }), All(), "cache_mib"},
		"telemetry's own checks count":        {lone.with(func(c *Config) { c.Telemetry.LogLevel = "x" }), All(), "log level"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()

			err := c.config.Validate(c.services)
			if c.want == "" {
				require.NoError(t, err)
			} else {
				require.ErrorContains(t, err, c.want)
			}
		})
	}

	t.Run("a password in a URL is not repeated", func(t *testing.T) {
		t.Parallel()

		err := Config{NATS: "http://user:secret@host"}.Validate(All())
		require.Error(t, err)
		require.NotContains(t, err.Error(), "secret")
	})
}

func (c Config) with(change func(*Config)) Config {
	change(&c)

	return c
}
