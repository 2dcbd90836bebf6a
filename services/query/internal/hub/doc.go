// Package hub fans changes of accounts out to whoever watches them. It hears what happens to the tables of package
// column and keeps the newest changes of each workspace that is watched in a ring of fixed size; a watcher is only a
// place in that ring, and what its changes come to is worked out once for all who ask for the same. Besides, the hub
// knows how far the columns are in each partition, so that a watcher can be given a token from which any process goes
// on. It knows nothing of gRPC and of the store.
package hub
