// Package rig runs Hale as it runs in production, for tests and benchmarks: real processes of the hale binary,
// nats-server and redis-server on loopback, each of which can be killed and started again on its own data.
package rig
