package postgres

import (
	"context"
	"encoding/hex"
	"slices"

	"github.com/jackc/pgx/v5"
)

// A file may be mentioned before it has a row: a plugin chooses the id first, or
// tables are restored one by one; and the id of one that was deleted may come back.
// So that a pass can tell whether rows that were read before mention a file that it
// meets for the first time, pruned.mentioned holds every UUID that was found in a
// row version older than its table's mark, whether it was a file's or not. What is
// not in it can only be mentioned by row versions from the mark on, and those the
// pass that meets the file reads again, knowing it. A file whose row was committed
// before its first mention is never in it: the mark is taken before the files are
// looked for, so that who saw the mention of an older version saw the row as well.

// uuid is one as PostgreSQL sends it.
type uuid [16]byte

// mentionedSQL is the condition that a token t is one of those that were mentioned.
// The bucket is that of the method bucket.
const mentionedSQL = `
         EXISTS (SELECT FROM (SELECT uuid_send(t.token::uuid)) u (uuid) JOIN pruned.mentioned m
                     ON m.bucket = (get_byte(u.uuid, 3) # get_byte(u.uuid, 15)) * 16 + ((get_byte(u.uuid, 2) # get_byte(u.uuid, 14)) & 15)
                    AND position(u.uuid IN m.uuids) > 0)`

// bucket mixes random bytes with some that count, since not all UUIDs are random.
func (u *uuid) bucket() int { return int(u[3]^u[15])<<4 | int(u[2]^u[14])&15 }

const buckets = 4096

// mentionedMost are the uuids held at once: 4 MB.
const mentionedMost = 1 << 18

// mentioned gathers uuids, each once.
type mentioned struct {
	buckets [buckets][]uuid
	n       int
}

// add takes a token as repo.Tokens yields it.
func (m *mentioned) add(token []byte) {
	var digits [32]byte
	copy(digits[:], token[:8])
	copy(digits[8:], token[9:13])
	copy(digits[12:], token[14:18])
	copy(digits[16:], token[19:23])
	copy(digits[20:], token[24:])
	var u uuid
	if _, err := hex.Decode(u[:], digits[:]); err != nil {
		panic(err) // a token is made of hexadecimal digits
	}
	bucket := &m.buckets[u.bucket()]
	if !slices.Contains(*bucket, u) {
		*bucket = append(*bucket, u)
		m.n++
	}
}

func (m *mentioned) full() bool { return m.n >= mentionedMost }

// addWholeSQL is for passes that read whole tables, which nearly all of what they
// find is new to: $1 are buckets, $2 what each gets.
const addWholeSQL = `INSERT INTO pruned.mentioned (bucket, uuids) SELECT * FROM unnest($1::int[], $2::bytea[])`

// addFreshSQL adds what is not there yet: of a chat that goes on, most is. $1 are
// buckets, $2 one uuid for each.
const addFreshSQL = `
INSERT INTO pruned.mentioned (bucket, uuids)
SELECT u.bucket, string_agg(u.uuid, '') FROM unnest($1::int[], $2::bytea[]) u (bucket, uuid)
 WHERE NOT EXISTS (SELECT FROM pruned.mentioned m WHERE m.bucket = u.bucket AND position(u.uuid IN m.uuids) % 16 = 1)
 GROUP BY u.bucket`

// flush writes what was gathered, each bucket as a whole or only what it lacks.
func (m *mentioned) flush(ctx context.Context, t pgx.Tx, whole bool) error {
	if m.n == 0 {
		return nil
	}
	var numbers []int32
	var values [][]byte
	for number, bucket := range m.buckets {
		var all []byte
		for i := range bucket {
			if whole {
				all = append(all, bucket[i][:]...)
				continue
			}
			numbers, values = append(numbers, int32(number)), append(values, bucket[i][:])
		}
		if len(all) > 0 {
			numbers, values = append(numbers, int32(number)), append(values, all)
		}
	}
	sql := addFreshSQL
	if whole {
		sql = addWholeSQL
	}
	if _, err := t.Exec(ctx, sql, numbers, values); err != nil {
		return translate(err, "note what was mentioned")
	}
	for i := range m.buckets {
		m.buckets[i] = m.buckets[i][:0]
	}
	m.n = 0
	return nil
}
