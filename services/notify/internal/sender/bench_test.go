package sender_test

import (
	"testing"

	"hale.dev/services/notify/internal/sender"
)

// BenchmarkPreview is what a notification of ten alerts costs before it is sent.
func BenchmarkPreview(b *testing.B) {
	for _, settings := range []sender.Settings{&slack, pagerDuty(""), &alertmanager, email("mail.example.com:587"), webhook("https://example.com")} {
		b.Run(string(settings.Kind()), func(b *testing.B) {
			n := many(10, "Acme Corp")
			b.ReportAllocs()

			for b.Loop() {
				if _, err := sender.Preview(settings, n); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
