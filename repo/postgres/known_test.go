package postgres_test

import (
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"pruned/repo/mention"
	"pruned/repo/testenv"
)

// The database and the reader of texts must agree on what a UUID is: an id that the
// one took for a UUID and the other did not would be looked for nowhere.
func TestAlmostUUIDs(t *testing.T) {
	t.Parallel()
	d, db := newDB(t)
	refresh(t, db) // From now on the ids that are UUIDs are compared with those read before.
	ids := map[string]bool{uuid.NewString()[:35]: true, uuid.NewString() + "0": true}
	for i := range len(uuid.Nil.String()) {
		for _, c := range []string{"0", "A", "g", "-", "_", "\n", "é"} {
			u := uuid.NewString()
			ids[u[:i]+c+u[i+1:]] = true
		}
	}
	for id := range ids {
		testenv.InsertFile(t, d.Pool, testenv.File{ID: id, Path: "/x"})
	}
	pass(t, db)
	kinds := map[bool]int{}
	rows, err := d.Pool.Query(t.Context(), `SELECT file_id, literal FROM pruned.known_file`)
	require.NoError(t, err)
	for rows.Next() {
		var id string
		var literal bool
		require.NoError(t, rows.Scan(&id, &literal))
		require.Equal(t, !mention.IsUUID(mention.Token(id)), literal, "%q", id)
		kinds[literal]++
	}
	require.NoError(t, rows.Err())
	require.Equal(t, len(ids), kinds[true]+kinds[false])
	require.NotZero(t, kinds[true])
	require.NotZero(t, kinds[false])
}

// A file is learned by the first pass that sees its row, however long before that it was
// written.
func TestFileOfALongTransactionIsLearned(t *testing.T) {
	t.Parallel()
	d := testenv.NewServer(t, testenv.ServerOptions{}).New(t) // its marks are nobody else's
	db := open(t, d)
	refresh(t, db)
	long := d.Conn(t)
	late := uuid.NewString()
	exec(t, long, `BEGIN; INSERT INTO file (id, user_id, filename, created_at) VALUES ('`+late+`', 'u', 'f', 1)`)
	for range 3 {
		newFiles(t, d, 1)
		pass(t, db)
	}
	require.True(t, look(t, db, late).Unknown[late])
	exec(t, long, `COMMIT`)
	pass(t, db)
	requireFree(t, db, late)
	d.Exec(t, `DELETE FROM file WHERE id = $1`, late)
	newFiles(t, d, 2)
	pass(t, db)
	require.Equal(t, 5, testenv.Value[int](t, d, `SELECT count(*) FROM pruned.known_file`))
}
