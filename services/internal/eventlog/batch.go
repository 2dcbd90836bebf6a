package eventlog

import (
	"fmt"

	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"

	logv1 "hale.dev/proto/gen/hale/log/v1"
)

// An EventBatch is written as its parts are made: the version, then one field for every record. So a record is
// encoded once, by whoever writes it, and a batch is the concatenation of what several writers encoded.
const (
	batchVersion      = 1
	batchVersionField = protowire.Number(1)
	batchRecordField  = protowire.Number(2)
	// batchHead is the number of bytes before the first record.
	batchHead = 2
)

// appendHead begins a batch.
func appendHead(b []byte) []byte {
	b = protowire.AppendTag(b, batchVersionField, protowire.VarintType)

	return protowire.AppendVarint(b, batchVersion)
}

// appendRecord adds a record to a batch.
func appendRecord(b []byte, record *logv1.Record) ([]byte, error) {
	size := proto.Size(record)
	b = protowire.AppendTag(b, batchRecordField, protowire.BytesType)
	b = protowire.AppendVarint(b, uint64(size)) //nolint:gosec // a size is not negative

	b, err := proto.MarshalOptions{UseCachedSize: true}.MarshalAppend(b, record)
	if err != nil {
		return nil, fmt.Errorf("encoding a record: %w", err)
	}

	return b, nil
}

// decodeBatch reads the records of a message.
func decodeBatch(data []byte) ([]*logv1.Record, error) {
	var batch logv1.EventBatch
	if err := proto.Unmarshal(data, &batch); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrPoison, err)
	}

	if version := batch.GetVersion(); version != batchVersion {
		return nil, fmt.Errorf("%w: layout version %d is not known", ErrPoison, version)
	}

	return batch.GetRecords(), nil
}
