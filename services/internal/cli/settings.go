package cli

import (
	"strings"
	"time"

	"hale.dev/services/internal/access/oidc"
	"hale.dev/services/internal/cli/process"
	"hale.dev/services/internal/config"
	"hale.dev/services/internal/demo"
)

// settings is everything that file, environment and flags can set.
type settings struct {
	process process.Config
	client  clientConfig
	demo    demo.Config
	output  string
}

// clientConfig says how the commands that talk to services reach them.
type clientConfig struct {
	server  string        // query gRPC
	ingest  string        // ingest HTTP
	key     string        // instead of the one in the credentials file
	timeout time.Duration // of one request

	caFile, cert, certKey string // TLS: whom to trust, and what to show
}

const defaultTimeout = 30 * time.Second

// declare binds every setting to its variable. The keys' first parts are the groups that
// commands take their flags from.
func (s *settings) declare(set *config.Set) {
	set.Ignore(config.Prefix + "CONFIG")
	s.declareProcess(set)
	s.declareIngest(set)
	s.declareServices(set)
	s.declareNotify(set)
	s.declareClient(set)
}

func (s *settings) declareProcess(set *config.Set) {
	p := &s.process
	set.String(&p.Data, "data", defaultData, "folder of the keys, the embedded log and the embedded store")
	set.String(&p.NATS, "nats", "", "URLs of the NATS servers with JetStream, by commas; empty: the embedded one")
	set.String(&p.Redis, "redis", "", "URL of a Redis server; empty: the embedded store")
	set.String(&p.Admin, "admin", process.DefaultAdmin, "address of /metrics, /healthz, /readyz and /debug/pprof")
	set.Bool(&p.AdminAllowPublic, "admin_allow_public", false, "let other machines reach the admin address")

	set.String(&p.AdminTLS.Cert, "admin_tls_cert", "", "PEM file with the certificate of the admin listener")
	set.String(&p.AdminTLS.Key, "admin_tls_key", "", "PEM file with its key")
	set.String(&p.AdminTLS.ClientCA, "admin_tls_client_ca", "", "PEM file of the authorities whose clients it lets in")

	s.declareAccess(set)

	set.Int(&p.Events.Partitions, "events.partitions", 0, "partitions of the log, fixed at first start; 0: 16")
	set.Int(&p.Events.Streams, "events.streams", 0, "streams of the log, fixed at first start; 0: 1")
	set.Int(&p.Events.Replicas, "events.replicas", 0, "replicas of each stream; 0: 1")
	set.Size(&p.Events.MaxBytes, "events.max_bytes", 0, "cap of the whole log; 0: 64GiB, or what the disk allows")

	set.Size(&p.Alerts.MaxBytes, "alerts.max_bytes", 0, "cap of what happened to alerts; 0: 8GiB, or what the disk allows")

	set.String(&p.Snapshots.Place, "snapshots.place", "",
		"where snapshots are kept: jetstream, a folder, s3://bucket/prefix?endpoint=URL, or off", config.Named("snapshots"))
	set.Duration(&p.Snapshots.Every, "snapshots.every", 0, "how often each partition is written; 0: 6h")
	set.Int(&p.Snapshots.Keep, "snapshots.keep", 0, "good snapshots of each partition that stay; 0: 3")

	set.String(&p.Telemetry.OTLPEndpoint, "telemetry.otlp_endpoint", "",
		"URL of the OpenTelemetry collector that gets traces", config.Named("otlp-endpoint"))
	set.Float(&p.Telemetry.TraceRatio, "telemetry.trace_ratio", 1,
		"share of traces that are kept, 0 to 1", config.Named("trace-ratio"))
	set.String(&p.Telemetry.LogLevel, "telemetry.log_level", "info",
		"debug, info, warn or error", config.Named("log-level"))
	set.String(&p.Telemetry.LogFormat, "telemetry.log_format", "text", "text or json", config.Named("log-format"))
}

func (s *settings) declareAccess(set *config.Set) {
	l := &s.process.Limits
	set.Float(&l.Rate, "access.rate", 0, "requests a second that a key without limits of its own may make; 0: any")
	set.Int(&l.Burst, "access.burst", 0, "how many of them may come at once; 0: as many as the rate")

	c := &s.process.OIDC
	set.String(&c.Issuer, "access.oidc.issuer", "", "URL of the OpenID Connect issuer whose tokens are taken; empty: keys only")
	set.String(&c.Audience, "access.oidc.audience", "", "audience that a token must have")
	set.Strings(&c.Algorithms, "access.oidc.algorithms", nil,
		"algorithms that tokens may be signed with, of "+strings.Join(oidc.Algorithms(), ", ")+"; empty: all")
	set.String(&c.WorkspaceClaim, "access.oidc.workspace_claim", "", "claim of a token that names its workspace")
	set.String(&c.Workspace, "access.oidc.workspace", "", "workspace of everybody who has a token, instead of a claim")
	set.String(&c.RoleClaim, "access.oidc.role_claim", "", "claim that says what its holder may do; empty: groups")
	set.Strings(&c.Roles, "access.oidc.roles", nil, "roles of its values, by commas: hale-admins=admin,success=operator")
	set.Duration(&c.ClockSkew, "access.oidc.clock_skew", 0, "how much the issuer's clock may differ; 0: 30s")
}

func (s *settings) declareIngest(set *config.Set) {
	c := &s.process.Ingest
	set.String(&c.HTTP, "ingest.http", "127.0.0.1:8080", "address of the ingest HTTP listener; off: none")
	set.String(&c.GRPC, "ingest.grpc", "127.0.0.1:8081", "address of the ingest gRPC listener; off: none")
	set.Strings(&c.Sources, "ingest.sources", nil,
		"kinds of events that are taken: "+strings.Join(kinds(), ", ")+"; empty: all", config.Named("sources"))
	set.String(&c.Mapping, "ingest.mapping", "", "file that says which Segment track calls are no usage; empty: shipped")
	set.String(&c.TLSCert, "ingest.tls_cert", "", "PEM file with the certificate of both ingest listeners")
	set.String(&c.TLSKey, "ingest.tls_key", "", "PEM file with its key")
	set.String(&c.TLSClientCA, "ingest.tls_client_ca", "", "PEM file of the authorities whose clients they let in")
	set.Bool(&c.AllowPublic, "ingest.allow_public", false, "let other machines reach the ingest listeners without TLS")
	set.Int(&c.InFlightMiB, "ingest.in_flight_mib", 0, "memory for requests under way, MiB; 0: 256")
	set.Int(&c.QueueMiB, "ingest.queue_mib", 0, "memory for events that wait for the log, MiB; 0: 64")
	set.Duration(&c.Drain, "ingest.drain", 0, "time for requests under way to end; 0: 10s")
}

func (s *settings) declareServices(set *config.Set) {
	c := &s.process.Scoring
	set.Int(&c.CacheMiB, "scoring.cache_mib", 0, "memory for decoded accounts, MiB; 0: 512")
	set.Duration(&c.CommitDelay, "scoring.commit_delay", 0, "longest wait for a commit under load; 0: 100ms")
	set.Int(&c.MaxMessageIDs, "scoring.max_message_ids", 0,
		"message ids remembered by one partition; 0: 64 million")
	set.Duration(&c.Retention, "scoring.retention", 0,
		"how long messages of the log are kept at least, once snapshots are past them; 0: 9600h (400 days)")
	set.Bool(&c.Adopt, "scoring.adopt", false, "take over a store that holds the state of another log, and drop that")

	q := &s.process.Query
	set.String(&q.GRPC, "query.grpc", "127.0.0.1:9090", "address of the query gRPC listener")
	set.String(&q.HTTP, "query.http", "127.0.0.1:9091", "address of the query HTTP listener: JSON, Connect, gRPC-Web")
	set.String(&q.TLSCert, "query.tls_cert", "", "PEM file with the certificate of both query listeners")
	set.String(&q.TLSKey, "query.tls_key", "", "PEM file with its key")
	set.String(&q.TLSClientCA, "query.tls_client_ca", "", "PEM file of the authorities whose clients they let in")
	set.Bool(&q.Insecure, "query.allow_public", false, "let other machines reach the query listeners without TLS")
	set.Strings(&q.CORSOrigins, "query.cors_origins", nil,
		"origins whose pages may call the query HTTP listener, by commas: https://dash.example.com; empty: none")
	set.Duration(&q.MaxWait, "query.max_wait", 0, "longest wait of a read with at_least; 0: 30s")
	set.Duration(&q.Drain, "query.drain", 0, "time for calls under way to end; 0: 10s")
	set.Int(&q.RulesTestAccounts, "query.rules_test_accounts", 0,
		"accounts that a test of rules may hold in memory; 0: 20,000")
}

func (s *settings) declareNotify(set *config.Set) {
	n := &s.process.Notify
	set.Strings(&n.EgressAllow, "notify.egress_allow", nil,
		"networks, addresses and hosts that receivers may be at although they are not public, by commas")
	set.String(&n.ConsoleURL, "notify.console_url", "", "where links in notifications lead; empty: there are none")
	set.String(&n.Secrets, "notify.secrets", "", "folder of the secrets that receivers name as file:NAME")
	set.Duration(&n.Drain, "notify.drain", 0, "time for tries under way to end; 0: 10s")
	set.Duration(&n.Retention, "notify.retention", 0, "how long is kept what became of notifications; 0: 720h")
	set.Size(&n.MaxBytes, "notify.max_bytes", 0, "cap of what became of notifications; 0: 1GiB, or what the disk allows")
}

func (s *settings) declareClient(set *config.Set) {
	c := &s.client
	set.String(&c.server, "client.server", "", "address of the query service; empty: that of the local run",
		config.Named("server"))
	set.String(&c.ingest, "client.ingest", "", "URL of the ingest service; empty: that of the local run",
		config.Named("ingest"))
	set.String(&c.key, "client.key", "", "key; empty: the one in <data>/credentials.yaml",
		config.Named("key"), config.Secret())
	set.String(&c.caFile, "client.ca_file", "", "PEM file of the authorities to trust; empty: those of the system",
		config.Named("ca-file"))
	set.String(&c.cert, "client.client_cert", "", "PEM file with the certificate to show", config.Named("client-cert"))
	set.String(&c.certKey, "client.client_key", "", "PEM file with its key", config.Named("client-key"))
	set.Duration(&c.timeout, "client.timeout", defaultTimeout, "longest wait for an answer", config.Named("timeout"))
	set.String(&s.output, "client.output", formatTable, "table, json, yaml or jsonl",
		config.Named("output"), config.Short("o"))

	d := &s.demo
	set.Int(&d.Accounts, "demo.accounts", demo.DefaultAccounts, "how many accounts", config.Flag("accounts"))
	set.Int(&d.Days, "demo.days", demo.DefaultDays, "how many days of history", config.Flag("days"))
	set.Int(&d.Seed, "demo.seed", 1, "the same seed makes the same portfolio", config.Flag("seed"))
}
