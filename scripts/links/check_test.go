package main

import (
	"slices"
	"testing"
	"testing/fstest"
)

func TestCheck(t *testing.T) {
	t.Parallel()
	for says, c := range map[string]struct {
		page string
		dead []string
	}{
		"links to pages, headings and folders that exist": {
			"[a](docs/a.md) [b](docs/a.md#how-it-goes) [c](#top) [d](docs/) ![e](docs/e.png)\n# Top\n", nil,
		},
		"links to other sites":           {"[a](https://example.com/nothing) [b](mailto:a@example.com)", nil},
		"a link to nothing":              {"[a](docs/b.md)", []string{"README.md: dead link docs/b.md"}},
		"a link to no heading":           {"[a](docs/a.md#nothing)", []string{"README.md: dead link docs/a.md#nothing"}},
		"a path that exists":             {"`docs/a.md`, `docs/`", nil},
		"a path that does not":           {"`docs/b.md`", []string{"README.md: no such path `docs/b.md`"}},
		"what only looks like a path":    {"`v1/batch`, `a/b`, `/v1/x`, `bin/hale`, `docs/<name>`", nil},
		"what stands in a block of code": {"```\n[a](nothing) `docs/b.md`\n```\n", nil},
	} {
		t.Run(says, func(t *testing.T) {
			t.Parallel()
			dead, err := check(fstest.MapFS{
				"README.md":              {Data: []byte(c.page)},
				"docs/a.md":              {Data: []byte("# A\n[up](../README.md)\n## How it goes\n")},
				"docs/e.png":             {},
				"node_modules/x/page.md": {Data: []byte("[a](nothing)")},
			})
			if err != nil || !slices.Equal(dead, c.dead) {
				t.Fatalf("got %q, %v; want %q", dead, err, c.dead)
			}
		})
	}
}
