package snapshot

import (
	"bytes"
	"encoding/binary"

	"github.com/klauspost/compress/zstd"
	"github.com/zeebo/xxh3"
)

// What the tests of package snapshot_test need of the inside.
var (
	FormatName = formatName
	ParseName  = parseName
)

// Seal makes a snapshot of what a zstd frame should hold, of any format.
func Seal(format uint16, body []byte) []byte {
	var b bytes.Buffer

	b.Write(binary.LittleEndian.AppendUint16([]byte(magic), format))

	zip, err := zstd.NewWriter(&b, zstd.WithEncoderConcurrency(1))
	if err != nil {
		panic(err)
	}

	if _, err := zip.Write(body); err != nil {
		panic(err)
	}

	if err := zip.Close(); err != nil {
		panic(err)
	}

	return binary.LittleEndian.AppendUint64(b.Bytes(), xxh3.Hash(b.Bytes()))
}

// Body is what the zstd frame of a snapshot holds.
func Body(data []byte) []byte {
	zip, err := zstd.NewReader(nil, zstd.WithDecoderConcurrency(1))
	if err != nil {
		panic(err)
	}
	defer zip.Close()

	body, err := zip.DecodeAll(data[len(magic)+versionLen:len(data)-sumLen], nil)
	if err != nil {
		panic(err)
	}

	return body
}
