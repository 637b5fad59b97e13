package postgres

import (
	"encoding/binary"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5/pgtype"
)

// textArrays sends a []string in one piece. A batch sends thousands of ids several times over,
// and pgx's own codec grows its buffer with each of them, which takes several times their size.
type textArrays struct{ *pgtype.ArrayCodec }

// useTextArrays has a session with these types send arrays of text so.
func useTextArrays(types *pgtype.Map) {
	if own, known := types.TypeForOID(pgtype.TextArrayOID); known {
		if codec, is := own.Codec.(*pgtype.ArrayCodec); is {
			types.RegisterType(&pgtype.Type{Name: own.Name, OID: own.OID, Codec: textArrays{codec}})
			types.RegisterDefaultPgType([]string(nil), own.Name) // of a statement that is not prepared
		}
	}
}

// PlanEncode is asked once a session for each format.
func (c textArrays) PlanEncode(m *pgtype.Map, oid uint32, format int16, value any) pgtype.EncodePlan {
	if _, is := value.([]string); !is {
		return c.ArrayCodec.PlanEncode(m, oid, format, value)
	}
	if format == pgtype.BinaryFormatCode {
		return arrayEncoder(appendBinaryArray)
	}
	return arrayEncoder(appendArrayLiteral)
}

// arrayEncoder appends an array.
type arrayEncoder func(list []string, buf []byte) []byte

func (encode arrayEncoder) Encode(value any, buf []byte) ([]byte, error) {
	return encode(value.([]string), buf), nil
}

// arrayHeader is the number of dimensions, that nothing is NULL, and the type of elements; then
// how many there are, and the number of the first.
const arrayHeader = 5 * 4

// appendBinaryArray appends what array_recv reads.
func appendBinaryArray(list []string, buf []byte) []byte {
	size := arrayHeader
	for _, s := range list {
		size += 4 + len(s)
	}
	buf = slices.Grow(buf, size)
	header := []uint32{1, 0, pgtype.TextOID, uint32(len(list)), 1}
	if len(list) == 0 {
		header = []uint32{0, 0, pgtype.TextOID}
	}
	for _, n := range header {
		buf = binary.BigEndian.AppendUint32(buf, n)
	}
	for _, s := range list {
		buf = append(binary.BigEndian.AppendUint32(buf, uint32(len(s))), s...)
	}
	return buf
}

var escapeElement = strings.NewReplacer(`\`, `\\`, `"`, `\"`)

// appendArrayLiteral appends what array_in reads: {"a","b"}.
func appendArrayLiteral(list []string, buf []byte) []byte {
	size := 2
	for _, s := range list {
		size += len(s) + 3
	}
	buf = append(slices.Grow(buf, size), '{')
	for i, s := range list {
		if i > 0 {
			buf = append(buf, ',')
		}
		buf = append(buf, '"')
		buf = append(buf, escapeElement.Replace(s)...)
		buf = append(buf, '"')
	}
	return append(buf, '}')
}
