package cli_test

import (
	"testing"

	"github.com/stretchr/testify/require"
)

const receiversFile = `kind: receivers
receivers:
  - name: on-call
    kind: pagerduty
    settings: {routing_key: "file:pagerduty"}
default_route: {receivers: [on-call]}
`

// receivers puts a document in force and reads it again.
func receivers(t *testing.T, r *run) {
	t.Helper()

	bad := r.hale(t, "kind: receivers\nreceivers: [{}]", "receivers", "check", "-")
	require.Equal(t, 6, bad.code, bad.err)
	require.Contains(t, bad.out, "missing_key")

	applied := r.hale(t, receiversFile, "apply", "-f", "-")
	require.Zero(t, applied.code, applied.err)

	listed := r.hale(t, "", "receivers", "list")
	require.Zero(t, listed.code, listed.err)
	require.Contains(t, listed.out, "on-call   pagerduty")

	again := r.hale(t, "", "receivers", "list", "-o", "yaml")
	require.Equal(t, receiversFile, again.out)

	letters := r.hale(t, "", "dead-letters", "list")
	require.Zero(t, letters.code, letters.err)

	resent := r.hale(t, "", "dead-letters", "resend", "--all", "-o", "json")
	require.Zero(t, resent.code, resent.err)
	require.Contains(t, resent.out, `"resent": 0`)
}

func TestReceiversPreview(t *testing.T) {
	t.Parallel()

	got := hale(t, receiversFile, "receivers", "preview", "-", "on-call", "--notify-console-url", "https://hale.example.com")
	require.Zero(t, got.code, got.err)
	golden(t, "receivers-preview", got.out)

	const chat = `{receivers: [{name: chat, kind: slack, settings: {url: "file:slack"}}]}`

	digest := hale(t, chat, "receivers", "preview", "-", "chat", "--digest")
	require.Zero(t, digest.code, digest.err)
	golden(t, "receivers-preview-digest", digest.out)

	none := hale(t, receiversFile, "receivers", "preview", "-", "nobody")
	require.Equal(t, 6, none.code)
	require.Contains(t, none.err, `there is no such receiver: "nobody"`)

	bad := hale(t, "receivers: 7", "receivers", "preview", "-", "nobody")
	require.Equal(t, 6, bad.code)
	require.Contains(t, bad.err, "must be a list")
}
