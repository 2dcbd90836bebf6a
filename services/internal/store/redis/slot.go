package redis

import (
	"math/bits"
	"strconv"
)

const (
	slots    = 16384
	slotBits = 14
)

// slotOf returns the cluster slot in which the partition's keys lie. Reversing the bits of the number
// spreads partitions 0..P-1 evenly over the slots for every P, and does not depend on P: two processes
// that were told different numbers of partitions still find the same keys.
func slotOf(partition int) uint16 {
	return bits.Reverse16(uint16(partition&(slots-1))) >> (16 - slotBits)
}

// tagOf returns the partition's hash tag: its number, a dot, and the least suffix that gives its slot.
func tagOf(partition int) string {
	want := slotOf(partition)
	b := append(strconv.AppendInt(nil, int64(partition), 10), '.')
	sum := crc16(0, b)
	var digits [8]byte
	for i := int64(0); ; i++ {
		suffix := strconv.AppendInt(digits[:0], i, 36)
		if crc16(sum, suffix)%slots == want {
			return string(append(b, suffix...))
		}
	}
}

// crc16 continues the checksum of Redis Cluster (CRC-16/XMODEM: polynomial 0x1021, start 0) over b.
func crc16(sum uint16, b []byte) uint16 {
	for _, c := range b {
		sum ^= uint16(c) << 8
		for range 8 {
			carry := sum&0x8000 != 0
			sum <<= 1
			if carry {
				sum ^= 0x1021
			}
		}
	}
	return sum
}
