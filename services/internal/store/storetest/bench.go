package storetest

import (
	"bytes"
	"context"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"hale.dev/services/internal/store"
)

// Shape of the measured load: what one commit of a busy partition looks like.
const (
	BenchAccounts = 500 // accounts put by a commit
	BenchBytes    = 600 // bytes of an account
	benchDedupe   = 8   // bytes appended for each account
	benchPool     = 10_000
)

// Bench measures commits and reads of a store made by open.
func Bench(b *testing.B, open func(b *testing.B) store.Store) {
	b.Helper()
	b.Run("commit of 500", func(b *testing.B) { benchCommit(b, open(b), store.Lease{}) })
	b.Run("commit of 500 with a lease", func(b *testing.B) { benchCommit(b, open(b), lease("owner", longTTL)) })
	b.Run("read of one", func(b *testing.B) { benchRead(b, open(b)) })
}

// BenchEntries returns n entries of accounts, beginning with the given number, and their ids.
func BenchEntries(from, n int) ([]store.Entry, []string) {
	entries, ids := make([]store.Entry, n), make([]string, n)
	for i := range entries {
		ids[i] = store.Account("default", fmt.Sprintf("account-%06d", (from+i)%benchPool))
		entries[i] = store.Entry{Key: store.AccountKey(ids[i]), Value: bytes.Repeat([]byte{byte(i), 'x'}, BenchBytes/2)}
	}
	return entries, ids
}

func benchCommit(b *testing.B, s store.Store, l store.Lease) {
	b.Helper()
	h := claim(b, s, 0)
	puts, ids := BenchEntries(0, benchPool)
	dedupe := bytes.Repeat([]byte{1}, BenchAccounts*benchDedupe)
	b.ReportAllocs()
	b.ResetTimer()
	for i := range b.N {
		from := i * BenchAccounts % benchPool
		c := next(0, h)
		c.State, c.Lease = dedupe[:100], l
		c.Put, c.Changed = puts[from:from+BenchAccounts], ids[from:from+BenchAccounts]
		c.Append = []store.Entry{{Key: store.DedupeKey(int64(i / 1000)), Value: dedupe}}
		if err := s.Commit(context.Background(), c); err != nil {
			b.Fatal(err)
		}
		h.Cursor, h.Revision = c.Cursor, h.Revision+1
	}
	b.ReportMetric(float64(b.N)*BenchAccounts/b.Elapsed().Seconds(), "accounts/s")
}

func benchRead(b *testing.B, s store.Store) {
	b.Helper()
	c := next(0, claim(b, s, 0))
	c.Put, _ = BenchEntries(0, benchPool)
	c.State = make([]byte, 100)
	apply(b, s, c)
	b.ReportAllocs()
	b.ResetTimer()
	for i := range b.N {
		_, values, err := s.Read(context.Background(), 0, c.Put[i%benchPool].Key)
		if err != nil {
			b.Fatal(err)
		}
		require.Len(b, values[0], BenchBytes)
	}
}
