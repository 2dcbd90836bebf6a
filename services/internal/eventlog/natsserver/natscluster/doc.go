// Package natscluster starts a cluster of NATS servers with JetStream for one test, inside the test's process and on
// loopback. Nodes can be stopped, killed, started again on their files, and wiped; every connection between them and
// to their clients goes through a link that can be cut or frozen. What runs on top of it is the test's business.
package natscluster
