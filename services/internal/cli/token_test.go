package cli_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"hale.dev/services/internal/access"
	"hale.dev/services/internal/access/oidc/oidctest"
)

func TestTokens(t *testing.T) {
	t.Parallel()

	issuer := oidctest.New(t)
	r := start(t, filepath.Join(t.TempDir(), "data"), "--access-oidc-issuer", issuer.URL,
		"--access-oidc-audience", oidctest.Audience, "--access-oidc-workspace-claim", "workspace",
		"--access-oidc-roles", strings.Join(oidctest.Roles(), ","))

	token := func(workspace, group string, changes map[string]any) []string {
		return []string{"--key", issuer.Token(issuer.Claims(workspace, group, changes))}
	}

	for name, c := range map[string]struct {
		args []string
		code int
		err  string
	}{
		"a viewer may list":          {append(token("default", "viewers", nil), "accounts", "list"), 0, ""},
		"a viewer may not see keys":  {append(token("default", "viewers", nil), "keys", "list"), 4, "may not do this"},
		"an admin may":               {append(token("default", "admins", nil), "keys", "list"), 0, ""},
		"and runs the installation":  {append(token("default", "admins", nil), "partitions"), 0, ""},
		"another workspace's cannot": {append(token("acme", "admins", nil), "partitions"), 4, "only admins of the workspace default"},
		"events may be sent": {
			append(token("default", "ingests", nil), "send", "usage", "--account", "a", "--id", "1", "feature=f"), 0, "",
		},
		"but not by a viewer": {
			append(token("default", "viewers", nil), "send", "usage", "--account", "a", "--id", "2", "feature=f"), 4, "may not do this",
		},
		"an expired token opens nothing": {
			append(token("default", "viewers", map[string]any{"exp": time.Now().Add(-time.Hour).Unix()}), "accounts", "list"), 4, "has expired",
		},
		"a group without a role opens nothing": {append(token("default", "nobody", nil), "accounts", "list"), 4, "gives no role"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()

			got := r.hale(t, "", c.args...)
			require.Equal(t, c.code, got.code, got.err)
			require.Contains(t, got.err, c.err)
		})
	}

	t.Run("who decided is named by an address", func(t *testing.T) {
		t.Parallel()

		got := r.hale(t, "", append(token("default", "admins", nil), "keys", "create", "mine", "-o", "json")...)
		require.Zero(t, got.code, got.err)
		require.Contains(t, got.out, `"created_by": "ann@example.com"`)

		// And Hale's own keys open what they opened before.
		got = r.hale(t, "", "accounts", "list")
		require.Zero(t, got.code, got.err)

		c, err := access.ReadCredentials(r.dir)
		require.NoError(t, err)
		require.Zero(t, r.hale(t, "", "accounts", "list", "--key", c.QueryKey).code)
	})
}

func TestTheTokensOfTheDocsAreConfigured(t *testing.T) {
	t.Parallel()

	page, err := os.ReadFile("../../../docs/access.md")
	require.NoError(t, err)
	_, rest, ok := strings.Cut(string(page), "```yaml\n")
	require.True(t, ok)
	text, _, ok := strings.Cut(rest, "```")
	require.True(t, ok)

	file := filepath.Join(t.TempDir(), "hale.yaml")
	require.NoError(t, os.WriteFile(file, []byte(text), 0o600))

	got := hale(t, "", "run", "--check", "--config", file)
	require.Zero(t, got.code, got.err)

	got = hale(t, "", "config", "print", "--config", file)
	require.Contains(t, got.out, "hale-admins=admin,customer-success=operator,staff=viewer")

	got = hale(t, "", "run", "--check", "--config", file, "--access-oidc-algorithms", "HS256")
	require.Equal(t, 2, got.code)
	require.Contains(t, got.err, `access.oidc.algorithms: "HS256" is none of`)

	// Every setting is explained on the page.
	for line := range strings.SplitSeq(hale(t, "", "config", "print").out, "\n") {
		if key, _, _ := strings.Cut(line, " "); strings.HasPrefix(key, "access.") {
			require.Contains(t, string(page), "`"+key+"`")
		}
	}
}
