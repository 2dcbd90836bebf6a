package oidc_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"hale.dev/services/internal/access/oidc"
	"hale.dev/services/internal/settings"
)

func TestValidate(t *testing.T) {
	t.Parallel()

	good := oidc.Config{
		Issuer: "https://id.example.com/realms/a", Audience: "hale", WorkspaceClaim: "workspace", Roles: []string{"a=b=admin"},
	}

	require.NoError(t, oidc.Config{}.Validate())
	require.NoError(t, good.Validate())

	for name, c := range map[string]struct {
		change func(*oidc.Config)
		want   error
	}{
		"settings without an issuer":             {func(c *oidc.Config) { c.Issuer = "" }, oidc.ErrIncomplete},
		"an issuer without TLS":                  {func(c *oidc.Config) { c.Issuer = "http://id.example.com" }, oidc.ErrIssuer},
		"an issuer that is no URL":               {func(c *oidc.Config) { c.Issuer = "id.example.com" }, oidc.ErrIssuer},
		"an issuer with a query":                 {func(c *oidc.Config) { c.Issuer += "?a=b" }, oidc.ErrIssuer},
		"an issuer with a password":              {func(c *oidc.Config) { c.Issuer = "https://a:b@id.example.com" }, oidc.ErrIssuer},
		"no audience":                            {func(c *oidc.Config) { c.Audience = "" }, oidc.ErrIncomplete},
		"no workspace":                           {func(c *oidc.Config) { c.WorkspaceClaim = "" }, oidc.ErrIncomplete},
		"a workspace and a claim for it":         {func(c *oidc.Config) { c.Workspace = "a" }, oidc.ErrIncomplete},
		"a workspace that none can be":           {func(c *oidc.Config) { c.WorkspaceClaim, c.Workspace = "", "a.b" }, settings.ErrWorkspaceName},
		"no roles":                               {func(c *oidc.Config) { c.Roles = nil }, oidc.ErrRoles},
		"a role that is none":                    {func(c *oidc.Config) { c.Roles = []string{"a=emperor"} }, oidc.ErrRoles},
		"a value without a role":                 {func(c *oidc.Config) { c.Roles = []string{"admin"} }, oidc.ErrRoles},
		"a role without a value":                 {func(c *oidc.Config) { c.Roles = []string{"=admin"} }, oidc.ErrRoles},
		"a value with two roles":                 {func(c *oidc.Config) { c.Roles = []string{"a=admin", "a=viewer"} }, oidc.ErrRoles},
		"no proof at all":                        {func(c *oidc.Config) { c.Algorithms = []string{"RS256", "none"} }, oidc.ErrAlgorithm},
		"a secret that both sides have":          {func(c *oidc.Config) { c.Algorithms = []string{"HS256"} }, oidc.ErrAlgorithm},
		"clocks that differ by more than may be": {func(c *oidc.Config) { c.ClockSkew = time.Hour }, oidc.ErrSkew},
		"clocks that differ by less than none":   {func(c *oidc.Config) { c.ClockSkew = -1 }, oidc.ErrSkew},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()

			bad := good
			c.change(&bad)
			require.ErrorIs(t, bad.Validate(), c.want)

			_, err := oidc.New(bad, oidc.Options{})
			require.ErrorIs(t, err, c.want)
		})
	}

	for _, loopback := range []string{"http://127.0.0.1:8080", "http://localhost/realms/a", "http://[::1]:1"} {
		local := good
		local.Issuer = loopback
		require.NoError(t, local.Validate(), loopback)
	}
}

// TestEveryReasonIsExplained looks for the constants in the page that people look them up in: as codes of ingest, and as
// reasons of query.
func TestEveryReasonIsExplained(t *testing.T) {
	t.Parallel()

	doc, err := os.ReadFile("../../../../docs/errors.md")
	require.NoError(t, err)

	found := 0

	for _, name := range []string{"error.go", "../error.go"} {
		file, err := parser.ParseFile(token.NewFileSet(), name, nil, 0)
		require.NoError(t, err)

		ast.Inspect(file, func(n ast.Node) bool {
			spec, ok := n.(*ast.ValueSpec)
			if !ok || !strings.HasPrefix(spec.Names[0].Name, "reason") {
				return true
			}

			reason, err := strconv.Unquote(spec.Values[0].(*ast.BasicLit).Value)
			require.NoError(t, err)
			require.Contains(t, string(doc), "| `"+reason+"` |")

			if reason != "INSTALLATION_ADMIN_REQUIRED" { // ingest has no such calls
				require.Contains(t, string(doc), "| `"+strings.ToLower(reason)+"` |")
			}

			found++

			return true
		})
	}

	require.Equal(t, 13, found)
}
