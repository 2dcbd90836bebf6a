package main

import (
	"fmt"
	"io/fs"
	"path"
	"regexp"
	"slices"
	"strings"
)

// Built once, used by all pages.
//
//nolint:gochecknoglobals // constants
var (
	link    = regexp.MustCompile(`\]\(([^)\s]+)\)`)
	quoted  = regexp.MustCompile("`([A-Za-z0-9_./-]+)`")
	heading = regexp.MustCompile(`(?m)^#+ +(.*)$`)
	fence   = regexp.MustCompile("(?ms)^```.*?^```")
	dropped = regexp.MustCompile(`[^\p{L}\p{N} _-]`)
	// skipped are folders that hold no pages of ours.
	skipped = []string{".git", ".build", "bin", "data", "node_modules", "testdata"}
)

// check returns what the pages of a repository name and what does not exist.
func check(root fs.FS) ([]string, error) {
	var dead []string
	err := fs.WalkDir(root, ".", func(name string, entry fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case entry.IsDir() && slices.Contains(skipped, entry.Name()):
			return fs.SkipDir
		case entry.IsDir() || path.Ext(name) != ".md":
			return nil
		}
		text, err := fs.ReadFile(root, name)
		if err != nil {
			return fmt.Errorf("reading a page: %w", err)
		}
		dead = append(dead, page{root, name}.check(string(text))...)
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("looking for pages: %w", err)
	}
	return dead, nil
}

// page is one page.
type page struct {
	root fs.FS
	name string
}

func (p page) check(text string) []string {
	var dead []string
	text = fence.ReplaceAllString(text, "")
	for _, m := range link.FindAllStringSubmatch(text, -1) {
		if !p.linked(m[1]) {
			dead = append(dead, p.name+": dead link "+m[1])
		}
	}
	for _, m := range quoted.FindAllStringSubmatch(text, -1) {
		if p.isPath(m[1]) && !p.exists(m[1]) {
			dead = append(dead, p.name+": no such path `"+m[1]+"`")
		}
	}
	return dead
}

// linked tells whether a link's target exists; other sites do.
func (p page) linked(target string) bool {
	if strings.Contains(target, "://") || strings.HasPrefix(target, "mailto:") {
		return true
	}
	file, anchor, _ := strings.Cut(target, "#")
	name := p.name
	if file != "" {
		name = path.Join(path.Dir(p.name), file)
	}
	if !p.exists(name) {
		return false
	}
	if anchor == "" || path.Ext(name) != ".md" {
		return true
	}
	text, err := fs.ReadFile(p.root, name)
	return err == nil && slices.Contains(anchors(string(text)), anchor)
}

// isPath tells whether what stands in backticks is a path from the root: its first part is a folder there.
func (p page) isPath(text string) bool {
	first, _, ok := strings.Cut(text, "/")
	if !ok || first == "" || slices.Contains(skipped, first) {
		return false
	}
	info, err := fs.Stat(p.root, first)
	return err == nil && info.IsDir()
}

func (p page) exists(name string) bool {
	_, err := fs.Stat(p.root, path.Clean(name))
	return err == nil
}

// anchors are the names by which a page's headings are linked.
func anchors(text string) []string {
	headings := heading.FindAllStringSubmatch(fence.ReplaceAllString(text, ""), -1)
	names := make([]string, 0, len(headings))
	for _, m := range headings {
		name := dropped.ReplaceAllString(strings.ToLower(strings.TrimSpace(m[1])), "")
		names = append(names, strings.ReplaceAll(name, " ", "-"))
	}
	return names
}
