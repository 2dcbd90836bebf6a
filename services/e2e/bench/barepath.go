package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"hale.dev/services/e2e/rig"
)

// bareSize is about the size of a webhook.
const bareSize = 1500

// barePath publishes messages one by one to the same nats-server, consumes each, posts it, and returns how long it took
// until it was there.
func barePath(ctx context.Context, c *rig.Cluster, count int) (times []time.Duration, err error) {
	arrived := make(chan time.Time, 1)
	url, closeServer, err := bareServer(arrived)
	if err != nil {
		return nil, err
	}
	defer closeServer()
	conn, err := nats.Connect("nats://" + c.NATSAddr)
	if err != nil {
		return nil, fmt.Errorf("connecting: %w", err)
	}
	defer conn.Close()
	js, err := jetstream.New(conn)
	if err != nil {
		return nil, fmt.Errorf("opening JetStream: %w", err)
	}
	stream, err := js.CreateStream(ctx, jetstream.StreamConfig{Name: "BARE", Subjects: []string{"bare"}})
	if err != nil {
		return nil, fmt.Errorf("making a stream: %w", err)
	}
	consumer, err := stream.OrderedConsumer(ctx, jetstream.OrderedConsumerConfig{})
	if err != nil {
		return nil, fmt.Errorf("making a consumer: %w", err)
	}
	failed := make(chan error, 1)
	consuming, err := consumer.Consume(func(m jetstream.Msg) {
		if err := post(ctx, url, m.Data()); err != nil {
			select {
			case failed <- err:
			default:
			}
		}
	})
	if err != nil {
		return nil, fmt.Errorf("consuming: %w", err)
	}
	defer consuming.Stop()
	for n := range count + warm {
		begun := time.Now()
		if _, err := js.Publish(ctx, "bare", make([]byte, bareSize)); err != nil {
			return nil, fmt.Errorf("publishing: %w", err)
		}
		select {
		case at := <-arrived:
			if n >= warm {
				times = append(times, at.Sub(begun))
			}
		case err := <-failed:
			return nil, err
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
	return times, nil
}

// bareServer tells when something is posted to it.
func bareServer(arrived chan<- time.Time) (url string, stop func(), err error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0") //nolint:noctx // returns at once
	if err != nil {
		return "", nil, fmt.Errorf("listening: %w", err)
	}
	server := &http.Server{ReadHeaderTimeout: time.Minute, Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		arrived <- time.Now()
		w.WriteHeader(http.StatusNoContent)
	})}
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = server.Serve(listener) // until it is closed
	}()
	return "http://" + listener.Addr().String(), func() {
		_ = server.Close()
		<-done
	}, nil
}

func post(ctx context.Context, url string, body []byte) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, url, bytes.NewReader(body))
	if err != nil {
		return fmt.Errorf("posting: %w", err)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return fmt.Errorf("posting: %w", err)
	}
	_, err = io.Copy(io.Discard, resp.Body)
	if err := errors.Join(err, resp.Body.Close()); err != nil {
		return fmt.Errorf("posting: %w", err)
	}
	return nil
}
