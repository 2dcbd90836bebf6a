package redis

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestParseURL(t *testing.T) {
	t.Parallel()
	good := map[string][]string{
		"redis://host":                           {"host:6379"},
		"redis://host:1/0":                       {"host:1"},
		"redis://a:1,b,c:3":                      {"a:1", "b:6379", "c:3"},
		"rediss://user:p,w@a:1,b:2/?db=0":        {"a:1", "b:2"},
		"redis://user:p%40ss@a:1,[::1]:2":        {"a:1", "[::1]:2"},
		"unix:///run/redis,1.sock":               {"/run/redis,1.sock"},
		"redis://a:1,b:2?pool_size=7&protocol=2": {"a:1", "b:2"},
	}
	for url, want := range good {
		o, addrs, err := parseURL(url)
		require.NoError(t, err, url)
		require.Equal(t, want, addrs)
		require.Equal(t, want[0], o.Addr)
	}
	for _, url := range []string{
		"", "host", "http://host", "redis://a:1,b:port", "redis://a:1,,b:2", "redis://,a:1", "redis://a:1,", "redis://a:1,b:2/1",
		"redis://user:secret@a:1,b:x", "redis://a:1,b:2?no_such_option=1",
	} {
		_, _, err := parseURL(url)
		require.Error(t, err, url)
		require.NotContains(t, err.Error(), "secret")
	}
}

func TestClusterOptions(t *testing.T) {
	t.Parallel()
	o, addrs, err := parseURL("rediss://user:pass@a:1,b:2?pool_size=7&min_idle_conns=2&protocol=2")
	require.NoError(t, err)
	require.Equal(t, "a", o.TLSConfig.ServerName)
	c := clusterOptions(o, addrs)
	require.Equal(t, []string{"a:1", "b:2"}, c.Addrs)
	require.Equal(t, []any{"user", "pass", 7, 2, 2}, []any{c.Username, c.Password, c.PoolSize, c.MinIdleConns, c.Protocol})
	require.Empty(t, c.TLSConfig.ServerName, "each server shows a certificate of its own name")
	require.Equal(t, "a", o.TLSConfig.ServerName)
	o.TLSConfig.ServerName = "given"
	require.Equal(t, "given", clusterOptions(o, addrs).TLSConfig.ServerName)
}
