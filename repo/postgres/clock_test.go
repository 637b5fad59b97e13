package postgres_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"pruned/repo"
)

// A row without a date is as old as it has been known to be an orphan.
func TestUndatedRowsAgeByTheirClock(t *testing.T) {
	t.Parallel()
	d, db := newDB(t)
	ids := newFiles(t, d, 2)
	d.Exec(t, `UPDATE file SET created_at = NULL, updated_at = NULL WHERE id = $1`, ids[0])
	inTx(t, db, func(tx tx) { require.NoError(t, db.SetGrace(t.Context(), tx, repo.FromRows, ids, nil)) })
	d.Exec(t, `UPDATE pruned.candidate SET first_seen = first_seen - interval '5 hours'`)
	// The other directions' clocks are not this one's.
	d.Exec(t, `INSERT INTO pruned.candidate (file_id, direction, first_seen) SELECT file_id, 'bytes', first_seen - interval '99 hours' FROM pruned.candidate`)
	inTx(t, db, func(tx tx) {
		locked, err := db.Lock(t.Context(), tx, ids, repo.Ages{Min: 8 * time.Hour, Pending: time.Hour})
		require.NoError(t, err)
		for _, f := range locked.Files {
			require.True(t, f.HasGrace)
			require.InDelta(t, (5 * time.Hour).Seconds(), f.UnreferencedFor.Seconds(), 120)
			if f.ID == ids[0] {
				require.InDelta(t, (5 * time.Hour).Seconds(), f.Age.Seconds(), 120)
				require.InDelta(t, (3 * time.Hour).Seconds(), f.EligibleIn.Seconds(), 120)
			}
		}
	})
}
