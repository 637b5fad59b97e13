package postgres_test

import (
	"cmp"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"pruned/repo"
	"pruned/repo/postgres"
	"pruned/repo/testenv"
)

// changedBy is how many bytes a transaction over files had to read of rows that changed. They
// are free.
func changedBy(t *testing.T, db *postgres.DB, ids ...string) int64 {
	t.Helper()
	found, err := tryLateLook(db, ids...)
	require.NoError(t, err)
	require.Empty(t, found.Referenced)
	return found.Changed
}

// What a recheck has read the next one does not read again, until the next pass; what it was
// about is known all the same.
func TestRechecksReadWhatIsNewer(t *testing.T) {
	t.Parallel()
	d := newQuietServer(t).New(t)
	db := open(t, d)
	ids := newFiles(t, d, 4)
	refresh(t, db)
	_, err := tryLateLook(db, ids[0]) // plans are made
	require.NoError(t, err)

	note := insertMention(t, d, ids[1])
	first := changedBy(t, db, ids[0])
	require.Positive(t, first)
	require.Zero(t, changedBy(t, db, ids[0]), "it was read")

	insertMention(t, d, ids[2])
	require.Equal(t, first, changedBy(t, db, ids[0]), "only what is newer")
	require.Zero(t, changedBy(t, db, ids[0]))

	requireKept(t, db, ids[1], ids[2])
	require.Zero(t, changedBy(t, db, ids[0], ids[3]))
	d.Exec(t, `UPDATE note SET title = '' WHERE id = $1`, note)
	changedBy(t, db, ids[1])
	requireKept(t, db, ids[2])

	pass(t, db)
	require.Zero(t, changedBy(t, db, ids[0], ids[1]))
	insertMention(t, d, ids[0])
	requireKept(t, db, ids[0], ids[2])
}

// What a recheck cannot have read, or not as it counts by now, is read.
func TestRechecksMissNothingThatWasRead(t *testing.T) {
	t.Parallel()
	server := newQuietServer(t)
	const odd = "report-of-2024"
	const write = `INSERT INTO message (id, user_id, channel_id, content, created_at, updated_at) VALUES ('m', 'u', 'c', $1, 1, 1)`
	for name, c := range map[string]struct {
		before, after func(t *testing.T, d *testenv.Database, writer *pgx.Conn, file string)
		file          string
	}{
		"a transaction that was open": {
			before: func(t *testing.T, d *testenv.Database, writer *pgx.Conn, file string) {
				exec(t, writer, `BEGIN; SAVEPOINT s`)
				exec(t, writer, `INSERT INTO note (id, user_id, title, created_at, updated_at) VALUES ('n', 'u', $1, 1, 1)`, file)
				insertMention(t, d, "nothing") // with a number that is higher
			},
			after: func(t *testing.T, _ *testenv.Database, writer *pgx.Conn, _ string) { exec(t, writer, `COMMIT`) },
		},
		"a row that was dead": {
			before: func(t *testing.T, d *testenv.Database, _ *pgx.Conn, file string) { d.Exec(t, write, file) },
			after: func(t *testing.T, d *testenv.Database, _ *pgx.Conn, _ string) {
				d.Exec(t, `INSERT INTO channel (id) VALUES ('c')`)
			},
		},
		"an id that is no UUID": {
			before: func(t *testing.T, d *testenv.Database, _ *pgx.Conn, file string) { insertMention(t, d, "see "+file) },
			after:  func(*testing.T, *testenv.Database, *pgx.Conn, string) {},
			file:   odd,
		},
	} {
		t.Run(name, func(t *testing.T) {
			d := server.New(t)
			db := open(t, d)
			testenv.InsertFile(t, d.Pool, testenv.File{ID: odd})
			ids := newFiles(t, d, 2)
			refresh(t, db)
			writer, file := d.Conn(t), cmp.Or(c.file, ids[1])
			c.before(t, d, writer, file)
			require.Positive(t, changedBy(t, db, ids[0]))
			c.after(t, d, writer, file)
			found, err := tryLateLook(db, file)
			require.NoError(t, err)
			require.Contains(t, found.Referenced, file)
		})
	}
}

// What another worker's recheck has read since the look, this one's may not have.
func TestRecheckBesideAnotherThatReadMore(t *testing.T) {
	t.Parallel()
	d := newQuietServer(t).New(t)
	db := open(t, d)
	ids := newFiles(t, d, 2)
	refresh(t, db)
	changedBy(t, db, ids[0])
	inTx(t, db, func(tx repo.Tx) {
		found, err := db.FindIndexed(t.Context(), tx, ids[1:])
		require.NoError(t, err)
		insertMention(t, d, ids[1])
		require.Positive(t, changedBy(t, db, ids[0]))
		appeared, err := db.RecheckReferences(t.Context(), tx, found, ids[1:], nil)
		require.NoError(t, err)
		require.Contains(t, appeared.References, ids[1])
	})
}
