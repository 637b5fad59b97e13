package refindex

import (
	"context"
	"fmt"
	"sync"

	"github.com/jackc/pgx/v5"

	"pruned/repo"
	"pruned/repo/mention"
	"pruned/repo/postgres/pgerr"
)

// namedRows are the rows by which the index knows files, by the relation's number.
type namedRows map[int]rowPairs

// rowPairs are files, and beside each the key of a row.
type rowPairs struct{ files, rows []string }

func (p *rowPairs) addRow(file, row string) {
	p.files, p.rows = append(p.files, file), append(p.rows, row)
}

const namedRowsSQL = `SELECT file_id, source, row_id FROM pruned.reference WHERE file_id = ANY ($1::text[])`

// readNamed reads them for those of the files that the look found free.
func readNamed(ctx context.Context, t pgx.Tx, look *repo.References, ids []string) (namedRows, error) {
	var free []string
	for _, id := range ids {
		if _, kept := look.Referenced[id]; !kept && !look.Unknown[id] {
			free = append(free, id)
		}
	}
	named := namedRows{}
	if len(free) == 0 {
		return named, nil
	}
	rows, _ := t.Query(ctx, namedRowsSQL, free)
	var file, row string
	var source int
	_, err := pgx.ForEachRow(rows, []any{&file, &source, &row}, func() error {
		pairs := named[source]
		pairs.addRow(file, row)
		named[source] = pairs
		return nil
	})
	return named, pgerr.Translate(err, "look for references")
}

// ofFree are the relation's rows, of the files that are still free.
func (n namedRows) ofFree(r *relation, look *repo.References) (free rowPairs) {
	if !r.canIndex() {
		return free
	}
	for i, file := range n[r.id].files {
		if _, kept := look.Referenced[file]; !kept {
			free.addRow(file, n[r.id].rows[i])
		}
	}
	return free
}

// findRewritten reads the rows by which the index knows files, and which changed since it read
// them. FindIndexed leaves what changed to the recheck; but of a file in a chat that goes on
// the recheck would find the mention each time, and the transaction would end for nothing.
func (p *Plan) findRewritten(ctx context.Context, t pgx.Tx, look *repo.References, named namedRows) error {
	for _, r := range p.relations {
		pairs := named.ofFree(r, look)
		if len(pairs.files) == 0 || len(r.columns) == 0 || r.isReadFirst() {
			continue
		}
		finder := sync.OnceValue(func() *mention.Finder { return mention.NewFinder(pairs.files) })
		err := r.readTexts(ctx, t, func(a *answerRow) {
			a.findIDs(finder(), func(id string) { keepFirst(look.Referenced, id, a.toReference()) })
		}, r.rewrittenSQL(), pairs.rows)
		if err != nil {
			return err
		}
	}
	return nil
}

// rewrittenSQL reads the texts of the living rows $1 that changed since the index read them.
func (r *relation) rewrittenSQL() string {
	return fmt.Sprintf(`SELECT %s, v.n, v.text FROM (SELECT DISTINCT unnest($1::text[])) u (row_id) JOIN ONLY %s t ON %s %s WHERE %s AND v.text IS NOT NULL%s`,
		r.keyText(), r.quotedName(), r.keyIs("u.row_id"), r.textsSQL(), r.isChanged(), r.aliveSQL())
}
