package postgres_test

import (
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"pruned/repo/testenv"
)

// What a pass over whole tables notes is noted once, however often they are read.
func TestMentionedIsNotedOnce(t *testing.T) {
	t.Parallel()
	d, db := newDB(t)
	for range 50 {
		insertMention(t, d, uuid.NewString())
	}
	noted := func() (n, distinct int) {
		const each = ` FROM pruned.mentioned, generate_series(1, octet_length(uuids), 16) i`
		return testenv.Value[int](t, d, `SELECT count(*)`+each), testenv.Value[int](t, d, `SELECT count(DISTINCT substr(uuids, i, 16))`+each)
	}
	passes := func() int { return testenv.Value[int](t, d, `SELECT min(generation) FROM pruned.relation`) }
	readAll(t, d, db)
	before := passes()
	for i := range 3 {
		// An id that is no UUID has all tables read once more.
		testenv.InsertFile(t, d.Pool, testenv.File{ID: "report-" + string(rune('a'+i))})
		insertMention(t, d, uuid.NewString())
		readAll(t, d, db)
		require.Equal(t, before+i+1, passes())
		n, distinct := noted()
		require.GreaterOrEqual(t, n, 50)
		require.Equal(t, distinct, n)
	}
}

// An id that no pass can find costs none.
func TestUnsearchableIDCostsNoPass(t *testing.T) {
	t.Parallel()
	d, db := newDB(t)
	refresh(t, db)
	before := testenv.Value[string](t, d, `SELECT generation::text FROM pruned.state`)
	for _, id := range []string{"a b", "2024-06-01", uuid.NewString()[:8] + "é", "0f8fad5bd9cb469fa16570867728950e"} {
		testenv.InsertFile(t, d.Pool, testenv.File{ID: id, Path: "/x"})
		refresh(t, db)
		require.Equal(t, before, testenv.Value[string](t, d, `SELECT generation::text FROM pruned.state`), id)
		require.True(t, look(t, db, id).Unknown[id], id)
	}
}
