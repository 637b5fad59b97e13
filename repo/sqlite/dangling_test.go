package sqlite_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"pruned/repo"
)

// SQLite compares no text with bytes: a parent whose id is bytes is there all the same. A
// table that became a view, whose rows lie elsewhere, says nothing.
func TestDanglingRowsOfOddParentsStay(t *testing.T) {
	t.Parallel()
	for name, odd := range map[string]string{
		"bytes":  `INSERT INTO chat (id, user_id, archived, created_at, updated_at) VALUES (CAST('odd' AS BLOB), 'u', 0, 1, 1)`,
		"a view": `ALTER TABLE chat RENAME TO chats; CREATE VIEW chat AS SELECT * FROM chats`,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := newMigrated(t, "wal")
			db := open(t, d)
			for _, statement := range []string{
				`INSERT INTO file (id, user_id, filename, created_at, updated_at) VALUES ('f', 'u', 'n', 1, 1)`,
				`INSERT INTO chat (id, user_id, archived, created_at, updated_at) VALUES ('other', 'u', 0, 1, 1)`,
				`INSERT INTO chat_file (id, user_id, chat_id, file_id, created_at, updated_at) VALUES ('l', 'u', 'odd', 'f', 1, 1)`,
				odd,
			} {
				d.Exec(t, statement)
			}
			require.NoError(t, db.InTx(t.Context(), nil, func(tx repo.Tx) error {
				n, err := db.RemoveDangling(t.Context(), tx, "chat_file", []string{"l"})
				require.Zero(t, n)
				return err
			}))
			require.EqualValues(t, 1, d.Count(t, `SELECT count(*) FROM chat_file`))
		})
	}
}
