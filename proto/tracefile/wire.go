package tracefile

import (
	"errors"
	"math/bits"

	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
)

// The columns are most of a block, and are written and read here by hand, in
// the protobuf encoding (https://protobuf.dev/programming-guides/encoding) of
// the messages in trace.proto.

var errMalformed = errors.New("malformed message")

func zigzag(v int64) uint64   { return uint64(v<<1) ^ uint64(v>>63) }
func unzigzag(v uint64) int64 { return int64(v>>1) ^ -int64(v&1) }

// varintLen returns the encoded length of v in bytes: 1 to 10.
func varintLen(v uint64) int { return (bits.Len64(v|1) + 6) / 7 }

func appendVarint(b []byte, v uint64) []byte {
	for v >= 0x80 {
		b = append(b, byte(v)|0x80)
		v >>= 7
	}
	return append(b, byte(v))
}

// appendUint appends a field unless it is zero, as proto3 does.
func appendUint(b []byte, field protowire.Number, v uint64) []byte {
	if v == 0 {
		return b
	}
	return appendVarint(protowire.AppendTag(b, field, protowire.VarintType), v)
}

// appendBytes appends a bytes, string or message field, empty or not.
func appendBytes(b []byte, field protowire.Number, v []byte) []byte {
	b = protowire.AppendTag(b, field, protowire.BytesType)
	b = appendVarint(b, uint64(len(v)))
	return append(b, v...)
}

// varint reads one varint. n is 0 if b does not start with one.
func varint(b []byte) (v uint64, n int) {
	for i := 0; i < len(b) && i < 10; i++ {
		v |= uint64(b[i]&0x7f) << (7 * i)
		if b[i] < 0x80 {
			return v, i + 1
		}
	}
	return 0, 0
}

// eachField calls fn for every field of a message. v is the value of a varint
// or fixed field, data the content of a length-delimited one.
func eachField(b []byte, fn func(num protowire.Number, v uint64, data []byte) error) error {
	for len(b) > 0 {
		num, typ, n := protowire.ConsumeTag(b)
		if n < 0 {
			return errMalformed
		}
		b = b[n:]
		var v uint64
		var data []byte
		switch typ {
		case protowire.VarintType:
			v, n = protowire.ConsumeVarint(b)
		case protowire.BytesType:
			data, n = protowire.ConsumeBytes(b)
			if n >= 0 && data == nil {
				data = []byte{}
			}
		default:
			n = protowire.ConsumeFieldValue(num, typ, b)
			num = 0 // no field of ours
		}
		if n < 0 {
			return errMalformed
		}
		b = b[n:]
		if num == 0 {
			continue
		}
		if err := fn(num, v, data); err != nil {
			return err
		}
	}
	return nil
}

// parts counts down what a block may still hold.
type parts int

var errParts = errors.New("too many messages in a block")

// spend takes n parts.
func (p *parts) spend(n int) error {
	if *p -= parts(n); *p < 0 {
		return errParts
	}
	return nil
}

// unmarshal decodes a message and drops the fields that it does not know. The
// fields are counted first, since a field of two bytes can take a hundred.
func (p *parts) unmarshal(b []byte, m proto.Message) error {
	if err := p.count(b, m.ProtoReflect().Descriptor()); err != nil {
		return err
	}
	return proto.UnmarshalOptions{DiscardUnknown: true}.Unmarshal(b, m)
}

// count spends a part for every field of the message in b and of those in it.
func (p *parts) count(b []byte, d protoreflect.MessageDescriptor) error {
	return eachField(b, func(num protowire.Number, _ uint64, data []byte) error {
		if err := p.spend(1); err != nil {
			return err
		}
		f := d.Fields().ByNumber(num)
		switch {
		case f == nil || data == nil:
		case f.Message() != nil:
			return p.count(data, f.Message())
		case f.IsPacked():
			return p.spend(len(data) / 16)
		}
		return nil
	})
}
