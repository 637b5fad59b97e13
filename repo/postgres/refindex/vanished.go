package refindex

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"

	"pruned/repo/postgres/pgerr"
)

// takeTurnSQL takes the turn to delete references of vanished rows. They are in nobody's
// way, since every reader of the index asks for the row as well; once an hour is enough,
// by one process.
const takeTurnSQL = `UPDATE pruned.state SET tidied_at = clock_timestamp() WHERE tidied_at NOT BETWEEN clock_timestamp() - interval '1 hour' AND clock_timestamp()`

// excludeIndexingSQL waits for a pass, and takes no part in their turns.
const excludeIndexingSQL = `LOCK TABLE pruned.state IN ROW EXCLUSIVE MODE`

const referencingSQL = `
SELECT id FROM pruned.relation r WHERE EXISTS (SELECT FROM pruned.reference WHERE source = r.id) ORDER BY id`

// deleteVanished deletes the references of rows that vanished, table by table. A row that
// is dead for want of a parent did not vanish: it lives again with it, without a new
// version.
func (ix *Index) deleteVanished(ctx context.Context) error {
	var sources []int
	err := ix.Run(ctx, passTimeout, func(t pgx.Tx) error {
		if err := ix.lockFirst(ctx, t, excludeIndexingSQL); err != nil {
			return pgerr.Translate(err, "take turns to tidy")
		}
		taken, err := t.Exec(ctx, takeTurnSQL)
		if err != nil || taken.RowsAffected() == 0 {
			return pgerr.Translate(err, "note when the reference index was tidied")
		}
		sources, err = ReadColumn[int](ctx, t, referencingSQL)
		return pgerr.Translate(err, "list the tables that mention files")
	})
	for _, source := range sources {
		if err != nil {
			break
		}
		err = ix.Run(ctx, passTimeout, func(t pgx.Tx) error { return ix.deleteVanishedOf(ctx, t, source) })
	}
	return err
}

// deleteVanishedOf excludes passes: a row that comes back under its old key while this
// runs would be read by a pass, which finds its mentions recorded, and then be deleted
// from the index. It believes no index of the table. A row that comes back afterwards has
// a new version, and is read.
func (ix *Index) deleteVanishedOf(ctx context.Context, t pgx.Tx, source int) error {
	s, err := ix.lockState(ctx, t)
	if err != nil || !s.sound {
		return err
	}
	relations, err := ix.readRelations(ctx, t)
	if err != nil {
		return err
	}
	for _, r := range relations {
		if r.id == source && r.readable {
			if _, err := t.Exec(ctx, withoutIndexes); err != nil {
				return pgerr.Translate(err, "forget rows that vanished from table %s", r)
			}
			_, err := t.Exec(ctx, fmt.Sprintf(`DELETE FROM pruned.reference r WHERE r.source = %d
				AND NOT EXISTS (SELECT FROM ONLY %s t WHERE %s)`, source, r.quotedName(), r.keyIs("r.row_id")))
			return pgerr.Translate(err, "forget rows that vanished from table %s", r)
		}
	}
	return nil
}
