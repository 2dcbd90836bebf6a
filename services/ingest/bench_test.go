package ingest

import (
	"bytes"
	"context"
	"fmt"
	"net/http"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	eventv1 "hale.dev/proto/gen/hale/event/v1"
)

// nodeBatch is a batch as @segment/analytics-node sends it.
func nodeBatch(n, seed int) string {
	var b strings.Builder

	b.WriteString(`{"batch":[`)

	for i := range n {
		if i > 0 {
			b.WriteByte(',')
		}

		_, _ = fmt.Fprintf(&b, `{"timestamp":"2026-03-04T05:06:07.%03dZ","event":"Report Exported","userId":"user-%05d",`+
			`"properties":{"quantity":3,"format":"pdf","path":"/reports/77","seconds":1.25},`+
			`"context":{"library":{"name":"@segment/analytics-node","version":"3.1.0"},"groupId":"account-%04d"},`+
			`"type":"track","integrations":{},"_metadata":{"nodeVersion":"22.11.0","jsRuntime":"node"},`+
			`"messageId":"node-next-1772600767123-1f6f38ac-6a6b-4b8d-%05d-%07d"}`, i%1000, i, (i*7919+seed)%5000, seed, i)
	}

	b.WriteString(`],"writeKey":"k","sentAt":"2026-03-04T05:06:08.000Z"}`)

	return b.String()
}

func nativeBatch(n int) string {
	var b strings.Builder

	b.WriteByte('[')

	for i := range n {
		if i > 0 {
			b.WriteByte(',')
		}

		_, _ = fmt.Fprintf(&b, `{"type":"usage","id":"1f6f38ac-6a6b-4b8d-%05d","account":"account-%04d","user":"user-%05d",`+
			`"time":"2026-03-04T05:06:07.%03dZ","feature":"Report Exported","quantity":3}`, i, i, i, i%1000)
	}

	b.WriteByte(']')

	return b.String()
}

// rate reports events a second of wall time, and the processor time of the whole process for one event, which does
// not mind what else the machine does.
func rate(b *testing.B, n int, began time.Duration) {
	b.Helper()
	b.ReportMetric(float64(b.N)*float64(n)/b.Elapsed().Seconds(), "events/s")

	used := cpuTime(b) - began
	b.ReportMetric(float64(used.Nanoseconds())/float64(b.N)/float64(n), "cpu-ns/event")
}

// cpuTime is the processor time this process has used.
func cpuTime(b *testing.B) time.Duration {
	b.Helper()

	var u syscall.Rusage

	require.NoError(b, syscall.Getrusage(syscall.RUSAGE_SELF, &u))

	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

func BenchmarkDecodeSegment(b *testing.B) {
	body := []byte(nodeBatch(100, 1))
	m, err := loadMapping("")
	require.NoError(b, err)
	b.SetBytes(int64(len(body)))
	b.ReportAllocs()

	began := cpuTime(b)

	for b.Loop() {
		cs, p := parseBatch(body)
		if p != nil {
			b.Fatal(p)
		}

		sg := segment{mapping: m, arrival: now}
		if es := sg.entries(cs); len(es) != 100 {
			b.Fatal(len(es))
		}
	}

	rate(b, 100, began)
}

func BenchmarkDecodeNative(b *testing.B) {
	body := []byte(nativeBatch(100))
	b.SetBytes(int64(len(body)))
	b.ReportAllocs()

	began := cpuTime(b)

	for b.Loop() {
		n := native{arrival: now}
		if p := n.parse(body); p != nil || len(n.entries) != 100 {
			b.Fatal(p)
		}
	}

	rate(b, 100, began)
}

func BenchmarkCheck(b *testing.B) {
	c, err := newChecker()
	require.NoError(b, err)

	n := native{arrival: now}
	require.Nil(b, n.parse([]byte(nativeBatch(1))))

	e := n.entries[0].event

	b.Run("usage, written out", func(b *testing.B) {
		for b.Loop() {
			if bad := c.check(e, now); bad != nil {
				b.Fatal(bad)
			}
		}
	})
	b.Run("usage, protovalidate", func(b *testing.B) {
		for b.Loop() {
			if bad := c.slow(e); bad != nil {
				b.Fatal(bad)
			}
		}
	})
	b.Run("account, protovalidate", func(b *testing.B) {
		e := &eventv1.Event{MessageId: "m", AccountId: "a", Body: &eventv1.Event_Account{Account: &eventv1.Account{}}}

		for b.Loop() {
			if bad := c.slow(e); bad != nil {
				b.Fatal(bad)
			}
		}
	})
}

// BenchmarkHTTP is the whole way: request, decoding, log, durable acknowledgement, answer.
func BenchmarkHTTP(b *testing.B) {
	s := newBundle(b, Config{})

	bodies := make([][]byte, 64)
	for i := range bodies {
		bodies[i] = []byte(nodeBatch(100, i))
	}

	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 256}}

	var next atomic.Int64

	b.SetParallelism(32)
	b.ReportAllocs()
	b.ResetTimer()

	began := cpuTime(b)

	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			body := bodies[next.Add(1)%int64(len(bodies))]

			req, err := http.NewRequestWithContext(context.Background(), http.MethodPost, s.url+batch, bytes.NewReader(body))
			if err != nil {
				b.Error(err)

				return
			}

			req.SetBasicAuth(s.ingest, "")

			res, err := client.Do(req)
			if err != nil {
				b.Error(err)

				return
			}

			_ = res.Body.Close()

			if res.StatusCode != http.StatusOK {
				b.Error(res.Status)

				return
			}
		}
	})
	rate(b, 100, began)
}
