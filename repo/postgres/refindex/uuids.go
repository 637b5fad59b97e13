package refindex

import (
	"context"
	"slices"

	"github.com/jackc/pgx/v5"

	"pruned/repo/mention"
	"pruned/repo/postgres/pgerr"
)

// A file may be mentioned before it has a row: a plugin chooses the id first, or tables
// are restored one by one; and the id of one that was deleted may come back. So that a
// pass can tell whether rows that were read before mention a file that it meets for the
// first time, pruned.mentioned holds every UUID that was found in a row version older than
// its table's mark, whether it was a file's or not. Any other UUID can only be mentioned
// by row versions from the mark on, and those the pass that meets the file reads again,
// knowing it. A file whose row was committed before its first mention is never in it: the
// mark is taken before the files are listed, so that the pass which saw the mention of an
// older version saw the row as well.

// uuid is a UUID as PostgreSQL sends it.
type uuid = [16]byte

// mentionedSQL is the condition that a token t is one of those that were mentioned. The
// bucket is that of bucketNumber.
const mentionedSQL = `
         EXISTS (SELECT FROM (SELECT uuid_send(t.token::uuid)) u (uuid) JOIN pruned.mentioned m
                     ON m.bucket = (get_byte(u.uuid, 3) # get_byte(u.uuid, 15)) * 16 + ((get_byte(u.uuid, 2) # get_byte(u.uuid, 14)) & 15)
                    AND position(u.uuid IN m.uuids) > 0)`

// bucketNumber mixes random bytes with some that count, since not all UUIDs are random.
func bucketNumber(u uuid) int { return int(u[3]^u[15])<<4 | int(u[2]^u[14])&15 }

const buckets = 4096

// maxHeldUUIDs are the uuids held at once: 4 MB.
const maxHeldUUIDs = 1 << 18

// uuidSet gathers uuids, each once.
type uuidSet struct {
	buckets [buckets][]uuid
	n       int
	again   bool // some may be of tables that were read before
}

// addToken adds a token as mention.Tokens yields it.
func (m *uuidSet) addToken(token []byte) {
	u, ok := mention.ParseUUID(token)
	if !ok {
		panic("a token is no UUID")
	}
	bucket := &m.buckets[bucketNumber(u)]
	if !slices.Contains(*bucket, u) {
		*bucket = append(*bucket, u)
		m.n++
	}
}

func (m *uuidSet) has(u uuid) bool { return slices.Contains(m.buckets[bucketNumber(u)], u) }

func (m *uuidSet) isFull() bool { return m.n >= maxHeldUUIDs }

// addFreshSQL adds UUIDs that are not there yet: most UUIDs of a chat that goes on are. $1
// are buckets, $2 one UUID for each.
const addFreshSQL = `
INSERT INTO pruned.mentioned (bucket, uuids)
SELECT u.bucket, string_agg(u.uuid, '') FROM unnest($1::int[], $2::bytea[]) u (bucket, uuid)
 WHERE NOT EXISTS (SELECT FROM pruned.mentioned m WHERE m.bucket = u.bucket AND position(u.uuid IN m.uuids) % 16 = 1)
 GROUP BY u.bucket`

// flushUUIDs writes the gathered UUIDs. A pass over whole tables gathers many, and all are
// new unless it reads the tables again; a pass over changes may gather many too. Searching
// the database for each is cheaper only while there are fewer than buckets: each search
// reads a bucket.
func (m *uuidSet) flushUUIDs(ctx context.Context, t pgx.Tx, whole bool) error {
	if m.n == 0 {
		return nil
	}
	write := m.addFresh
	switch {
	case whole && m.again, !whole && m.n > buckets:
		write = m.addRest
	case whole:
		write = m.addAll
	}
	if err := write(ctx, t); err != nil {
		return pgerr.Translate(err, "note what was mentioned")
	}
	for i := range m.buckets {
		m.buckets[i] = m.buckets[i][:0]
	}
	m.n = 0
	return nil
}

func (m *uuidSet) addFresh(ctx context.Context, t pgx.Tx) error {
	var numbers []int32
	var uuids [][]byte
	for number := range m.buckets {
		for i := range m.buckets[number] {
			numbers, uuids = append(numbers, int32(number)), append(uuids, m.buckets[number][i][:])
		}
	}
	_, err := t.Exec(ctx, addFreshSQL, numbers, uuids)
	return err
}

// addRest leaves out here the UUIDs that are there: searching the database for each would
// take many times as long.
func (m *uuidSet) addRest(ctx context.Context, t pgx.Tx) error {
	rows, _ := t.Query(ctx, `SELECT bucket, uuids FROM pruned.mentioned WHERE bucket = ANY ($1::int[])`,
		pgx.QueryExecModeDescribeExec, m.filledBuckets()) // in binary
	var number int32
	var uuids []byte
	_, err := pgx.ForEachRow(rows, []any{&number, &uuids}, func() error {
		there := make(map[uuid]struct{}, len(uuids)/len(uuid{}))
		for u := range slices.Chunk(uuids, len(uuid{})) {
			there[uuid(u)] = struct{}{}
		}
		m.buckets[number] = slices.DeleteFunc(m.buckets[number], func(u uuid) bool {
			_, is := there[u]
			return is
		})
		return nil
	})
	if err != nil {
		return err
	}
	return m.addAll(ctx, t)
}

// addAll copies each bucket as a whole: an array would be megabytes of text.
func (m *uuidSet) addAll(ctx context.Context, t pgx.Tx) error {
	numbers := m.filledBuckets()
	_, err := t.CopyFrom(ctx, pgx.Identifier{"pruned", "mentioned"}, []string{"bucket", "uuids"},
		pgx.CopyFromSlice(len(numbers), func(i int) ([]any, error) {
			var uuids []byte
			for _, u := range m.buckets[numbers[i]] {
				uuids = append(uuids, u[:]...)
			}
			return []any{numbers[i], uuids}, nil
		}))
	return err
}

func (m *uuidSet) filledBuckets() (numbers []int32) {
	for number, bucket := range m.buckets {
		if len(bucket) > 0 {
			numbers = append(numbers, int32(number))
		}
	}
	return numbers
}
