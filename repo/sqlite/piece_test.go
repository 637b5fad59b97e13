package sqlite

import (
	"context"
	"math/rand/v2"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"pruned/repo/mention"
	"pruned/repo/testenv"
)

// opened is a database with some rows in table note, whose texts are these.
func opened(t *testing.T, texts ...string) *DB {
	t.Helper()
	return openedWith(t, "wal", texts...)
}

func openedWith(t *testing.T, journal string, texts ...string) *DB {
	t.Helper()
	path, ctx := filepath.Join(t.TempDir(), "webui.db"), context.Background()
	require.NoError(t, testenv.CopySQLite(ctx, path))
	app, err := testenv.OpenSQLite(path, journal)
	require.NoError(t, err)
	t.Cleanup(func() { _ = app.Close() })
	for _, text := range texts {
		_, err := app.Exec(`INSERT INTO note (id, user_id, title, data, created_at, updated_at) VALUES (?, 'u', 't', ?, 1, 1)`, uuid.NewString(), text)
		require.NoError(t, err)
	}
	db, err := Open(ctx, Options{Path: path})
	require.NoError(t, err)
	t.Cleanup(db.Close)
	require.NoError(t, db.Migrate(ctx))
	return db
}

// TestOneBadRowOfAnySizeIsReadInPieces: whatever stands across the end of a piece is
// found in the next.
func TestOneBadRowOfAnySizeIsReadInPieces(t *testing.T) {
	t.Parallel()
	var ids []string
	var text strings.Builder
	for text.Len() < 5*piece {
		id := uuid.NewString()
		switch len(ids) % 3 {
		case 0:
			id = strings.ReplaceAll(id, "-", "")
		case 1:
			id = strings.ToUpper(strings.ReplaceAll(id, "-", "_"))
		}
		ids = append(ids, id)
		text.WriteString(id)
		text.WriteString(strings.Repeat(" ", 1+rand.IntN(9)))
	}
	db := opened(t, text.String())
	require.NoError(t, db.IndexAll(context.Background(), nil))
	for _, id := range ids {
		mention.Tokens([]byte(id), func(token []byte) {
			uuid, ok := mention.ParseUUID(token)
			require.True(t, ok)
			require.True(t, db.index.otherUUIDs.contains(hashUUID(&uuid)), id)
		})
	}
}

// TestAMentionRightAfterItsFileIsKnownCounts: of a UUID that was read lately, when it
// was no file's.
func TestAMentionRightAfterItsFileIsKnownCounts(t *testing.T) {
	t.Parallel()
	x := newIndex(&catalog{})
	for _, id := range []string{uuid.NewString(), uuid.Nil.String(), uuid.Max.String()} {
		x.indexText(rowRef{0, 1}, 0, []byte(id))
		x.addFiles([]string{id})
		require.True(t, x.late[id])
		x.indexText(rowRef{0, 2}, 0, []byte(id))
		n := 0
		x.eachPosting(id, func(m *posting) bool {
			require.EqualValues(t, 2, m.row)
			n++
			return true
		})
		require.Equal(t, 1, n)
	}
}
