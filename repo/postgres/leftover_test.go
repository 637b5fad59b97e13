package postgres_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"pruned/repo"
)

// A user whose row an index does not find is there all the same.
func TestBlindIndexOfUsers(t *testing.T) {
	t.Parallel()
	d, db := newDB(t)
	insert := `INSERT INTO "user" (id, name, email, role, profile_image_url, last_active_at, updated_at, created_at)
		SELECT i, 'n', i, 'user', '', 1, 1, 1 FROM `
	d.Exec(t, insert+`(SELECT lpad(i::text, 6, '0') FROM generate_series(1, 3000) i) n (i)`)
	d.Exec(t, `ANALYZE "user"`)
	blinded(t, d, "user_pkey", func() { d.Exec(t, insert+`(VALUES ('hidden')) n (i)`) })
	missing := func(ids ...string) (missing []string, err error) {
		err = db.InTx(t.Context(), nil, func(tx repo.Tx) (err error) {
			missing, err = db.FindMissingRows(t.Context(), tx, "user", ids)
			return err
		})
		return missing, err
	}
	got, err := missing("000007", "gone")
	require.NoError(t, err)
	require.Equal(t, []string{"gone"}, got)
	_, err = missing("hidden")
	requireBlind(t, err)
	requireBlind(t, db.IndexAll(t.Context(), nil))
	d.Exec(t, `REINDEX TABLE "user"`)
	got, err = missing("hidden")
	require.NoError(t, err)
	require.Empty(t, got)
}
