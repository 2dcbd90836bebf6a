// Command links checks that the pages of the repository name only what exists: the targets of links, their headings,
// and paths in backticks. It does not look at other sites. Argument: the repository's folder.
package main

import (
	"fmt"
	"os"
)

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "usage: links FOLDER")
		os.Exit(2)
	}
	dead, err := check(os.DirFS(os.Args[1]))
	if err != nil {
		fmt.Fprintln(os.Stderr, "links:", err)
		os.Exit(1)
	}
	for _, d := range dead {
		fmt.Fprintln(os.Stderr, d)
	}
	if len(dead) > 0 {
		os.Exit(1)
	}
}
