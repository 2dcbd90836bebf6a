package catalog_test

import (
	"fmt"
	"testing"

	"hale.dev/services/internal/health"
	"hale.dev/services/query/internal/catalog"
)

// BenchmarkAdd adds accounts of 20 features each.
func BenchmarkAdd(b *testing.B) {
	a := account{}
	for i := range 20 {
		a[fmt.Sprint("feature of the product ", i)] = health.Day(i)
	}

	names := make([]string, 0, len(a))
	for name := range a {
		names = append(names, name)
	}

	each := func(f func(name string, last health.Day)) {
		for _, name := range names {
			f(name, 7)
		}
	}
	book := catalog.New(1)

	for b.Loop() {
		book.Add(0, "w", each)
	}
}

// BenchmarkSince reads 64 partitions that are as full as they get.
func BenchmarkSince(b *testing.B) {
	const parts = 64

	book := catalog.New(parts)

	for p := range parts {
		book.Add(p, "w", func(f func(name string, last health.Day)) {
			for i := range catalog.Most {
				f(fmt.Sprint("feature-", i+p*100), health.Day(i%90))
			}
		})
	}

	for b.Loop() {
		book.Since("w", 0)
	}
}
