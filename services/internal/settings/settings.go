package settings

import (
	"context"
	"errors"
	"fmt"
	"regexp"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"hale.dev/services/internal/jsretry"
)

// Names of the buckets. Every process of a cluster opens the same ones.
const (
	bucketKeys       = "hale_keys"
	bucketScorecards = "hale_scorecards"
	bucketWorkspaces = "hale_workspaces"
	bucketSegments   = "hale_segments"
	bucketReceivers  = "hale_receivers"
	bucketSilences   = "hale_silences"
	bucketRules      = "hale_rules"
)

const (
	// documentHistory is how many versions of a workspace's scorecards, or rules, the bucket keeps.
	documentHistory = 16
	// maxDocument bounds a document, bytes; the API allows 262,144.
	maxDocument = 512 << 10
	// maxSegment bounds a segment, bytes; the API allows 4,096 of filter and 1,024 of description, and JSON may need six
	// for one.
	maxSegment = 32 << 10
	// maxSilence bounds a silence, bytes; the API allows 20 matchers of 1,152 and 4,096 of comment.
	maxSilence = 64 << 10
	// maxSmall bounds a value of the other buckets, bytes.
	maxSmall = 4 << 10
)

var (
	// ErrWorkspaceName is returned for a name that no workspace can have.
	ErrWorkspaceName = errors.New("settings: a workspace is named by 1 to 64 letters, digits, - or _")
	// ErrClosed is returned by a watch whose connection to NATS was closed.
	ErrClosed = errors.New("settings: the connection to NATS was closed")
	// ErrReconnected is returned by a watch whose connection to NATS was lost and is back: it would go on by itself,
	// but only after a while. Watch again.
	ErrReconnected = fmt.Errorf("settings: NATS was away for a moment: %w", nats.ErrDisconnected)
)

// workspaceName also keeps the separators of bucket keys out of names.
var workspaceName = regexp.MustCompile(`^[A-Za-z0-9_-]{1,64}$`)

// Settings reads and writes the buckets. It is safe for concurrent use.
type Settings struct {
	conn                         *nats.Conn
	keys, scorecards, workspaces jetstream.KeyValue
	receivers, silences          jetstream.KeyValue
	segments, rules              jetstream.KeyValue
}

// Open opens the buckets and makes those that are missing, with that many replicas (0: 1). Several processes may
// do so at once. A cluster that has no leader yet is waited for until ctx ends.
func Open(ctx context.Context, js jetstream.JetStream, replicas int) (*Settings, error) {
	var (
		s       = Settings{conn: js.Conn()}
		configs = []struct {
			into   *jetstream.KeyValue
			config jetstream.KeyValueConfig
		}{
			{&s.keys, jetstream.KeyValueConfig{Bucket: bucketKeys, Description: "hashes of keys", MaxValueSize: maxSmall}},
			{&s.scorecards, jetstream.KeyValueConfig{
				Bucket: bucketScorecards, Description: "scorecards of each workspace",
				MaxValueSize: maxDocument, History: documentHistory,
			}},
			{&s.rules, jetstream.KeyValueConfig{
				Bucket: bucketRules, Description: "rules of alerts of each workspace",
				MaxValueSize: maxDocument, History: documentHistory,
			}},
			{&s.workspaces, jetstream.KeyValueConfig{
				Bucket: bucketWorkspaces, Description: "workspaces, and what was published for them", MaxValueSize: maxSmall,
			}},
			{&s.segments, jetstream.KeyValueConfig{
				Bucket: bucketSegments, Description: "named filters of each workspace", MaxValueSize: maxSegment,
			}},
			{&s.receivers, jetstream.KeyValueConfig{
				Bucket: bucketReceivers, Description: "receivers of the alerts of each workspace",
				MaxValueSize: maxDocument, History: documentHistory,
			}},
			{&s.silences, jetstream.KeyValueConfig{
				Bucket: bucketSilences, Description: "silences of each workspace", MaxValueSize: maxSilence,
			}},
		}
	)

	for _, c := range configs {
		c.config.Replicas = replicas

		kv, err := jsretry.Bucket(ctx, js, c.config, nil)
		if err != nil {
			return nil, wrap(err, "opening")
		}

		*c.into = kv
	}

	return &s, nil
}

// wrap says what was being done when err came up; nil stays nil.
func wrap(err error, format string, args ...any) error {
	if err == nil {
		return nil
	}

	return fmt.Errorf("settings: %s: %w", fmt.Sprintf(format, args...), err)
}

// CheckWorkspace refuses names that no workspace can have.
func CheckWorkspace(name string) error {
	if !workspaceName.MatchString(name) {
		return fmt.Errorf("%w: %q", ErrWorkspaceName, name)
	}

	return nil
}

// watch calls f for each entry, and once with nil when all that were there at the
// start have been seen. It runs until ctx ends, f fails, or the connection is closed, or was lost and is back.
func (s *Settings) watch(
	ctx context.Context, kv jetstream.KeyValue, f func(jetstream.KeyValueEntry) error,
) error {
	ctx, cancel := context.WithCancel(ctx) // the client keeps a goroutine until then
	defer cancel()

	back := s.conn.StatusChanged(nats.CONNECTED)
	defer s.conn.RemoveStatusListener(back)

	w, err := kv.WatchAll(ctx)
	if err != nil {
		return wrap(err, "watching bucket %s", kv.Bucket())
	}

	defer func() {
		_ = w.Stop() // the watch is over, whatever the server thinks of it
		// The client blocks on an update that nobody takes, and closes the channel once it is stopped.
		go func() {
			for range w.Updates() {
			}
		}()
	}()

	for {
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-back:
			return ErrReconnected
		case e, ok := <-w.Updates():
			switch {
			case ok:
			case ctx.Err() != nil:
				return context.Cause(ctx)
			default:
				return ErrClosed
			}

			if err := f(e); err != nil {
				return err
			}
		}
	}
}
