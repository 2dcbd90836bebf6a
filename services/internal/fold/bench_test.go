package fold_test

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"hale.dev/services/internal/fold"
)

// BenchmarkApply folds messages of 100 events over 6,000 accounts of one partition, evaluates and encodes them.
func BenchmarkApply(b *testing.B) {
	for _, name := range []string{"zipf", "uniform"} {
		b.Run(name, func(b *testing.B) {
			const accounts, size = 6000, 100
			r := rand.New(rand.NewPCG(1, 1))
			z := rand.NewZipf(r, 1.1, 1, accounts-1)
			rig := newRig(&testing.T{})
			var messages []*fold.Message
			for i := 0; i < b.N; i += size {
				m := &fold.Message{Sequence: uint64(i/size) + 1, Time: start.UnixMicro()}
				for j := range min(size, b.N-i) {
					account := r.IntN(accounts)
					if name == "zipf" {
						account = int(z.Uint64())
					}
					rec := usage(fmt.Sprintf("id-%d", i+j), fmt.Sprintf("account-%d", account), start)
					rec.GetEvent().UserId = fmt.Sprintf("user-%d-%d", account, j%20)
					m.Records = append(m.Records, rec)
				}
				messages = append(messages, m)
			}
			b.ReportAllocs()
			b.ResetTimer()
			for i, m := range messages {
				if err := rig.p.Begin(m); err != nil {
					b.Fatal(err)
				}
				rig.p.Apply(m, 0, mapAccounts{rig})
				if i%5 == 0 {
					rig.p.Flush()
				}
			}
		})
	}
}

type mapAccounts struct{ *rig }

var _ fold.Accounts = mapAccounts{}
