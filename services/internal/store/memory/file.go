package memory

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/zeebo/xxh3"

	"hale.dev/services/internal/store"
	"hale.dev/services/internal/wire"
)

// A snapshot file, numbers little endian:
//
//	magic "HALESNAP", version uint16
//	partition int64, epoch, generation, cursor, number of values uint64
//	state: present byte, uvarint length, bytes
//	each value: uvarint length and key, uvarint length and value
//	xxh3 of all before it, uint64
const (
	magic      = "HALESNAP"
	version    = 1
	fixedLen   = len(magic) + 2 + 5*8
	sumLen     = 8
	namePrefix = "partition-"
	nameSuffix = ".snapshot"
	tempSuffix = ".tmp"
)

var errDamaged = errors.New("damaged")

func fileName(n int) string { return namePrefix + strconv.Itoa(n) + nameSuffix }

func parseName(name string) (int, bool) {
	digits, ok := strings.CutPrefix(name, namePrefix)
	if !ok {
		return 0, false
	}
	if digits, ok = strings.CutSuffix(digits, nameSuffix); !ok {
		return 0, false
	}
	n, err := strconv.Atoi(digits)
	return n, err == nil && fileName(n) == name
}

// writeFile puts a snapshot in place of the partition's former one, in one step, and returns its size.
func writeFile(dir string, n int, h store.Head, values map[string][]byte) (size int64, err error) {
	path := filepath.Join(dir, fileName(n))
	f, err := os.OpenFile(path+tempSuffix, os.O_CREATE|os.O_WRONLY|os.O_TRUNC, 0o600) //nolint:gosec // the configured folder
	if err != nil {
		return 0, fmt.Errorf("making the file: %w", err)
	}
	size, err = encode(f, n, h, values)
	if err == nil {
		err = f.Sync()
	}
	if e := f.Close(); err == nil {
		err = e
	}
	if err == nil {
		err = os.Rename(path+tempSuffix, path)
	}
	if err != nil {
		return 0, fmt.Errorf("writing the file: %w", errors.Join(err, removeIfThere(path+tempSuffix)))
	}
	return size, syncDir(dir)
}

func removeIfThere(path string) error {
	if err := os.Remove(path); err != nil && !errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("removing the unfinished file: %w", err)
	}
	return nil
}

// syncDir makes a rename in the folder durable.
func syncDir(dir string) error {
	d, err := os.Open(dir) //nolint:gosec // the configured folder
	if err != nil {
		return fmt.Errorf("opening the folder: %w", err)
	}
	err = d.Sync()
	if e := d.Close(); err == nil {
		err = e
	}
	if err != nil {
		return fmt.Errorf("syncing the folder: %w", err)
	}
	return nil
}

func encode(w io.Writer, n int, h store.Head, values map[string][]byte) (int64, error) {
	sum := xxh3.New()
	out := bufio.NewWriterSize(io.MultiWriter(w, sum), 1<<18)
	buf := append(make([]byte, 0, 128), magic...)
	buf = binary.LittleEndian.AppendUint16(buf, version)
	for _, x := range []uint64{uint64(n), h.Epoch, h.Generation, h.Cursor, uint64(len(values))} { //nolint:gosec // bit pattern only
		buf = binary.LittleEndian.AppendUint64(buf, x)
	}
	present := byte(0)
	if h.State != nil {
		present = 1
	}
	buf = binary.AppendUvarint(append(buf, present), uint64(len(h.State)))
	size := int64(len(buf) + len(h.State) + sumLen)
	_, _ = out.Write(buf) // bufio keeps the first error for Flush
	_, _ = out.Write(h.State)
	for k, v := range values {
		buf = binary.AppendUvarint(buf[:0], uint64(len(k)))
		size += int64(len(buf) + len(k))
		_, _ = out.Write(buf)
		_, _ = out.WriteString(k)
		buf = binary.AppendUvarint(buf[:0], uint64(len(v)))
		size += int64(len(buf) + len(v))
		_, _ = out.Write(buf)
		_, _ = out.Write(v)
	}
	if err := out.Flush(); err != nil {
		return 0, fmt.Errorf("writing values: %w", err)
	}
	if _, err := w.Write(binary.LittleEndian.AppendUint64(nil, sum.Sum64())); err != nil {
		return 0, fmt.Errorf("writing the checksum: %w", err)
	}
	return size, nil
}

// decode checks a snapshot and makes the partition of it.
func decode(n int, data []byte) (*part, error) {
	if len(data) < fixedLen+sumLen || string(data[:len(magic)]) != magic {
		return nil, fmt.Errorf("%w: no snapshot", errDamaged)
	}
	body := data[:len(data)-sumLen]
	if xxh3.Hash(body) != binary.LittleEndian.Uint64(data[len(body):]) {
		return nil, fmt.Errorf("%w: checksum differs", errDamaged)
	}
	if v := binary.LittleEndian.Uint16(body[len(magic):]); v != version {
		return nil, fmt.Errorf("%w: version %d, not %d", errDamaged, v, version)
	}
	var fixed [5]uint64
	for i := range fixed {
		fixed[i] = binary.LittleEndian.Uint64(body[len(magic)+2+8*i:])
	}
	if fixed[0] != uint64(n) { //nolint:gosec // bit pattern only
		return nil, fmt.Errorf("%w: of partition %d, not %d", errDamaged, fixed[0], n)
	}
	p := newPart(n)
	p.head = store.Head{Epoch: fixed[1], Generation: fixed[2], Cursor: fixed[3]}
	p.size = int64(len(data))
	r := wire.NewReader(body[fixedLen:])
	if present := r.Byte(); present == 1 {
		p.head.State = append([]byte{}, r.Chunk()...)
	} else {
		r.Chunk()
	}
	for range fixed[4] {
		k := r.Text()
		p.base[k] = append([]byte{}, r.Chunk()...)
		if r.Bad() {
			break
		}
	}
	if !r.Done() {
		return nil, fmt.Errorf("%w: values do not fit", errDamaged)
	}
	return p, nil
}
