package rig

// FleetOptions say how many of each there are; 0: as in production; -1: none.
type FleetOptions struct {
	Programs Programs
	// NATSNodes (3), Shards of Redis Cluster (3) and Replicas of each (1).
	NATSNodes, Shards, Replicas int
	// Ingest (2), Scoring (3) and Query (2) processes.
	Ingest, Scoring, Query int
	// Partitions (32) and Streams (8) of the log.
	Partitions, Streams int
	// DiskBytes is the size of the disks that can be filled, of one NATS node and one Redis node; 0: none.
	DiskBytes int64
	// Direct makes all talk to each other without links between them: for measuring.
	Direct bool
	// Args are further arguments of every service of Hale.
	Args []string
}

func (o *FleetOptions) fill() {
	for _, d := range []struct {
		value    *int
		standard int
	}{
		{&o.NATSNodes, 3},
		{&o.Shards, 3},
		{&o.Replicas, 1},
		{&o.Ingest, 2},
		{&o.Scoring, 3},
		{&o.Query, 2},
		{&o.Partitions, 32},
		{&o.Streams, 8},
	} {
		if *d.value == 0 {
			*d.value = d.standard
		}
		*d.value = max(0, *d.value)
	}
}
