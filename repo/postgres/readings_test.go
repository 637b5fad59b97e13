package postgres_test

import (
	"cmp"
	"errors"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"pruned/repo"
	"pruned/repo/postgres"
	"pruned/repo/testenv"
)

// newQuietFiles makes files in a database that nobody else uses.
func newQuietFiles(t *testing.T, n int) (d *testenv.Database, db *postgres.DB, ids []string) {
	t.Helper()
	d = newQuietServer(t).New(t)
	return d, open(t, d), newFiles(t, d, n)
}

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
	d, db, ids := newQuietFiles(t, 4)
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

	d.Exec(t, `CHECKPOINT`) // for all that can be told, another server
	require.Positive(t, changedBy(t, db, ids[0]))
	require.Zero(t, changedBy(t, db, ids[0]))

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
			requireKeptByIndexed(t, db, file)
		})
	}
}

// What another worker's recheck has read since the look, this one's may not have.
func TestRecheckBesideAnotherThatReadMore(t *testing.T) {
	t.Parallel()
	d, db, ids := newQuietFiles(t, 2)
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

// A recheck that read nothing, since no row that lives had changed, has not read a dead one.
func TestRecheckAfterAQuietOne(t *testing.T) {
	t.Parallel()
	d, db, ids := newQuietFiles(t, 2)
	refresh(t, db)
	d.Exec(t, `INSERT INTO message (id, user_id, channel_id, content, created_at, updated_at) VALUES ('m', 'u', 'c', $1, 1, 1)`, ids[1])
	_, err := tryLook(db, ids[0]) // reads no dead row
	require.NoError(t, err)
	require.Zero(t, changedBy(t, db, ids[0]))
	d.Exec(t, `INSERT INTO channel (id) VALUES ('c')`)
	requireKeptByIndexed(t, db, ids[1])
}

// Which tables are read when is no part of the catalog's digest.
func TestRecheckOfATableThatWentWithFiles(t *testing.T) {
	t.Parallel()
	d, db, ids := newQuietFiles(t, 2)
	d.Exec(t, `CREATE TABLE heir (extra text, PRIMARY KEY (id)) INHERITS (chat_file)`)
	refresh(t, db)
	d.Exec(t, `INSERT INTO heir (id, user_id, chat_id, file_id, created_at, updated_at, extra) VALUES ('h', 'u', 'c', 'x', 1, 1, $1)`, ids[1])
	insertMention(t, d, "nothing")
	require.Positive(t, changedBy(t, db, ids[0]))
	d.Exec(t, `ALTER TABLE heir NO INHERIT chat_file`)
	_, err := tryLateLook(db, ids[0]) // makes another plan
	require.NoError(t, err)
	requireKeptByIndexed(t, db, ids[1])
}

// What a transaction has deleted its recheck does not see, and a rollback brings it back: here a
// link without a key to its file, to a chat that is restored later.
func TestRecheckOfWhatWasDeletedInVain(t *testing.T) {
	t.Parallel()
	d, db, ids := newQuietFiles(t, 2)
	const chat = `INSERT INTO chat (id, user_id, title, chat, created_at, updated_at) VALUES ($1, 'u', 't', '{}', 1, 1)`
	d.Exec(t, chat, "other")
	d.Exec(t, `ALTER TABLE chat_file DROP CONSTRAINT `+testenv.Column[string](t, d,
		`SELECT conname FROM pg_constraint WHERE conrelid = 'chat_file'::regclass AND confrelid = 'file'::regclass`)[0])
	refresh(t, db)
	writer := d.Conn(t)
	exec(t, writer, `SET session_replication_role = replica`)
	exec(t, writer, `INSERT INTO chat_file (id, user_id, chat_id, file_id, created_at, updated_at) VALUES ('l', 'u', 'c', $1, 1, 1)`, ids[1])
	stop := errors.New("a mention came")
	err := db.InTx(t.Context(), nil, func(tx repo.Tx) error {
		found, err := db.FindIndexed(t.Context(), tx, ids)
		require.NoError(t, err)
		_, err = db.Delete(t.Context(), tx, ids, 0)
		require.NoError(t, err)
		insertMention(t, d, ids[0])
		_, err = db.RecheckReferences(t.Context(), tx, found, ids, nil)
		require.NoError(t, err)
		return stop
	})
	require.ErrorIs(t, err, stop)
	d.Exec(t, chat, "c")
	requireKeptByIndexed(t, db, ids[1])
}

func requireKeptByIndexed(t *testing.T, db *postgres.DB, id string) {
	t.Helper()
	found, err := tryLateLook(db, id)
	require.NoError(t, err)
	require.Contains(t, found.Referenced, id)
}

// A dead link lives again without a new row where no parent is left at all. What a recheck then
// found quiet its transaction's look had not seen: neither a link to a file of somebody else's,
// nor one that the transaction deleted and that comes back with its rollback.
func TestQuietRecheckAfterADeadLinkLives(t *testing.T) {
	t.Parallel()
	server := newQuietServer(t)
	for name, deletes := range map[string]bool{"of another file": false, "that was deleted in vain": true} {
		t.Run(name, func(t *testing.T) {
			d := server.New(t)
			db := open(t, d)
			ids := newFiles(t, d, 2)
			d.Exec(t, `INSERT INTO chat (id, user_id, title, chat, created_at, updated_at) VALUES ('other', 'u', 't', '{}', 1, 1)`)
			refresh(t, db)
			writer := d.Conn(t)
			exec(t, writer, `SET session_replication_role = replica`)
			exec(t, writer, `INSERT INTO chat_file (id, user_id, chat_id, file_id, created_at, updated_at) VALUES ('l', 'u', 'c', $1, 1, 1)`, ids[1])
			stop := errors.New("the commit failed")
			err := db.InTx(t.Context(), nil, func(tx repo.Tx) error {
				batch := ids[:1]
				if deletes {
					batch = ids
				}
				found, err := db.FindIndexed(t.Context(), tx, batch)
				require.NoError(t, err)
				if deletes {
					_, err = db.Delete(t.Context(), tx, batch, 0)
					require.NoError(t, err)
				}
				d.Exec(t, `DELETE FROM chat`)
				_, err = db.RecheckReferences(t.Context(), tx, found, batch, nil)
				require.NoError(t, err)
				return stop
			})
			require.ErrorIs(t, err, stop)
			requireKeptByIndexed(t, db, ids[1])
		})
	}
}
