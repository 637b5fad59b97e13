package sqlite

import (
	"bytes"
	"context"
	"math/rand/v2"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"pruned/repo/mention"
	"pruned/repo/repotest"
)

// opened is a database with some rows in table note, whose texts are these.
func opened(t *testing.T, texts ...string) *DB {
	t.Helper()
	return openedWith(t, "wal", texts...)
}

func openedWith(t *testing.T, journal string, texts ...string) *DB {
	t.Helper()
	path, ctx := filepath.Join(t.TempDir(), "webui.db"), context.Background()
	require.NoError(t, repotest.CopySQLite(ctx, path))
	app, err := repotest.OpenSQLite(path, journal)
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
// found in the next, and no more than a piece is kept in memory.
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
	require.NoError(t, db.Refresh(context.Background(), nil))
	for _, id := range ids {
		mention.Tokens([]byte(id), func(token []byte) {
			uuid, ok := parseUUID(token)
			require.True(t, ok)
			require.True(t, db.index.others.has(hash(&uuid)), id)
		})
	}
	require.LessOrEqual(t, cap(db.reader.pages.text), 4*piece)
}

// TestPiecesMakeTheWhole: of texts of any length, in pieces of any size.
func TestPiecesMakeTheWhole(t *testing.T) {
	t.Parallel()
	var texts []string
	for range 30 {
		text := make([]byte, rand.IntN(40_000))
		for i := range text {
			text[i] = 'a' + byte(rand.IntN(26))
		}
		texts = append(texts, string(text))
	}
	db, ctx := opened(t, texts...), context.Background()
	require.NoError(t, db.reader.open(ctx))
	pages, err := db.reader.pager(ctx)
	require.NoError(t, err)
	var root uint32
	_, err = one(ctx, db.reader, `SELECT rootpage FROM sqlite_schema WHERE name = 'note'`, nil, &root)
	require.NoError(t, err)
	for _, limit := range []int{1, 100, 5000, 1 << 20} {
		for _, overlap := range []int{0, 1, 36} {
			var got []string
			require.NoError(t, pages.leaves(ctx, root, func(leaf uint32) error {
				return pages.rowsOf(leaf, func(uint32) {}, func(r *row) error {
					var whole []byte
					most := func(column int) int { return map[bool]int{true: limit}[column == 3] }
					err := r.texts(overlap, most, func(_ int, text []byte) {
						tail := min(overlap, len(whole))
						require.True(t, bytes.HasPrefix(text, whole[len(whole)-tail:]))
						whole = append(whole, text[tail:]...)
					})
					got = append(got, string(whole))
					return err
				})
			}))
			require.ElementsMatch(t, texts, got)
		}
	}
}

// TestAMentionRightAfterItsFileIsKnownCounts: of a UUID that was read lately, when it
// was no file's.
func TestAMentionRightAfterItsFileIsKnownCounts(t *testing.T) {
	t.Parallel()
	x := newIndex(&catalog{})
	for _, id := range []string{uuid.NewString(), uuid.Nil.String(), uuid.Max.String()} {
		x.note(place{0, 1}, 0, []byte(id))
		x.know([]string{id})
		require.True(t, x.late[id])
		x.note(place{0, 2}, 0, []byte(id))
		n := 0
		x.of(id, func(m *posting) bool {
			require.EqualValues(t, 2, m.row)
			n++
			return true
		})
		require.Equal(t, 1, n)
	}
}
