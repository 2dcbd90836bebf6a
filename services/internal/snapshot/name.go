package snapshot

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// The name of a snapshot:
//
//	<layout>/p<partition, 4 digits>/<cursor, 20 digits>-<created, microseconds since 1970>.snapshot
//
// Its parts cannot hold what separates them: a layout's id is base64url, the rest are numbers.
const nameSuffix = ".snapshot"

// Info is what is known of a snapshot without reading it.
type Info struct {
	Partition int
	// Cursor is the log sequence up to which the snapshot is complete.
	Cursor uint64
	// Created is when it was begun, to the microsecond. A partition's snapshots are in this order.
	Created time.Time
	// Size in bytes, as it is stored.
	Size int64
	// Name of the object in the vault.
	Name string
}

// checkLayout makes sure that a layout's id fits into a name.
func checkLayout(id string) error {
	if strings.ContainsAny(id, "/.") || checkName(id) != nil {
		return fmt.Errorf("%w: layout id %q", ErrName, id)
	}

	return nil
}

// partitionPrefix begins the names of a partition's snapshots; of all partitions if it is negative.
func partitionPrefix(layout string, partition int) string {
	if partition < 0 {
		return layout + "/"
	}

	return fmt.Sprintf("%s/p%04d/", layout, partition)
}

func formatName(layout string, partition int, cursor uint64, created time.Time) string {
	return fmt.Sprintf("%s%020d-%d%s", partitionPrefix(layout, partition), cursor, created.UnixMicro(), nameSuffix)
}

// parseName reads what formatName wrote. ok is false if it did not write this.
func parseName(layout, name string) (info Info, ok bool) {
	rest, _ := strings.CutPrefix(name, layout+"/p")
	partition, rest, _ := strings.Cut(rest, "/")
	cursor, rest, _ := strings.Cut(rest, "-")
	created := strings.TrimSuffix(rest, nameSuffix)

	p, err1 := strconv.Atoi(partition)
	c, err2 := strconv.ParseUint(cursor, 10, 64)
	t, err3 := strconv.ParseInt(created, 10, 64)

	if err1 != nil || err2 != nil || err3 != nil || p < 0 {
		return Info{}, false
	}

	info = Info{Partition: p, Cursor: c, Created: time.UnixMicro(t).UTC(), Name: name}

	return info, formatName(layout, p, c, info.Created) == name
}
