package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"hale.dev/services/e2e/rig"
	"hale.dev/services/internal/quietaddr"
)

// rawPublish names the figure that others are compared with.
const rawPublish = "publish single 300 B messages, async, window 4000"

const (
	rawMessages = 300_000
	rawSize     = 300
	rawWindow   = 4000
)

// rawJetStream publishes and consumes single messages on a nats-server of its own at its default sync.
func rawJetStream(ctx context.Context, b *bench) error {
	addr, err := quietaddr.New()
	if err != nil {
		return fmt.Errorf("looking for a port: %w", err)
	}
	config := filepath.Join(b.dir, "nats.conf")
	text := fmt.Sprintf("listen: %q\njetstream { store_dir: %q }\n", addr, filepath.Join(b.dir, "store"))
	if err := os.WriteFile(config, []byte(text), 0o600); err != nil {
		return fmt.Errorf("writing settings: %w", err)
	}
	server := &rig.Process{Name: "raw-nats", Path: b.programs.NATS, Args: []string{"-c", config}, Dir: b.dir}
	if err := server.Start(); err != nil {
		return fmt.Errorf("starting nats-server: %w", err)
	}
	defer server.Kill()
	conn, err := nats.Connect("nats://"+addr, nats.RetryOnFailedConnect(true), nats.MaxReconnects(-1))
	if err != nil {
		return fmt.Errorf("connecting: %w", err)
	}
	defer conn.Close()
	js, err := jetstream.New(conn, jetstream.WithPublishAsyncMaxPending(rawWindow))
	if err != nil {
		return fmt.Errorf("opening JetStream: %w", err)
	}
	waitCtx, cancel := context.WithTimeout(ctx, 20*time.Second)
	defer cancel()
	var stream jetstream.Stream
	err = rig.Until(waitCtx, func() error {
		var err error
		stream, err = js.CreateStream(waitCtx, jetstream.StreamConfig{Name: "RAW", Subjects: []string{"raw"}})
		return err //nolint:wrapcheck // wrapped below
	})
	if err != nil {
		return fmt.Errorf("making a stream: %w", err)
	}
	if err := publishRaw(b, js); err != nil {
		return err
	}
	return consumeRaw(ctx, b, stream)
}

func publishRaw(b *bench, js jetstream.JetStream) error {
	body := make([]byte, rawSize)
	begun := time.Now()
	for range rawMessages {
		if _, err := js.PublishAsync("raw", body, jetstream.WithStallWait(time.Minute)); err != nil {
			return fmt.Errorf("publishing: %w", err)
		}
	}
	<-js.PublishAsyncComplete()
	rate := rawMessages / time.Since(begun).Seconds()
	return b.report.add(figure{Part: "a", Name: rawPublish, Value: rate, Unit: "messages/s"})
}

func consumeRaw(ctx context.Context, b *bench, stream jetstream.Stream) error {
	consumer, err := stream.OrderedConsumer(ctx, jetstream.OrderedConsumerConfig{})
	if err != nil {
		return fmt.Errorf("making a consumer: %w", err)
	}
	messages, err := consumer.Messages(jetstream.PullMaxMessages(rawWindow))
	if err != nil {
		return fmt.Errorf("consuming: %w", err)
	}
	defer messages.Stop()
	begun := time.Now()
	for range rawMessages {
		if _, err := messages.Next(); err != nil {
			return fmt.Errorf("consuming: %w", err)
		}
	}
	rate := rawMessages / time.Since(begun).Seconds()
	return b.report.add(figure{Part: "a", Name: "consume them, ordered consumer", Value: rate, Unit: "messages/s"})
}
