package postgres

import (
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"

	"pruned/repo"
)

// mostReferences bounds an explanation: a picture may be in every chat.
const mostReferences = 1000

// Row tells what the row of one file says. exists is false without an error
// where there is none.
func (db *DB) Row(ctx context.Context, id string) (info repo.FileInfo, exists bool, err error) {
	var age float64
	err = db.pool.QueryRow(ctx, db.sql(`SELECT coalesce(path, ''), coalesce(data::json ->> 'status', ''),
		coalesce(extract(epoch FROM clock_timestamp()) - created_at, 0)::float8 FROM %s WHERE id = $1::text`), id).
		Scan(&info.Path, &info.Status, &age)
	if errors.Is(err, pgx.ErrNoRows) {
		return info, false, nil
	}
	info.Age = seconds(age)
	return info, err == nil, translate(err, "read the row of file %s", id)
}

// References lists every mention of one file that keeps it, up to 1,000.
func (db *DB) References(ctx context.Context, t repo.Tx, id string) (found []repo.Mention, err error) {
	finder := repo.NewFinder([]string{id})
	mentions := func(text []byte) (yes bool) {
		finder.Find(text, func(string) { yes = true })
		return yes
	}
	add := func(r *relation, row string, column int, text []byte) {
		if len(found) >= mostReferences || !mentions(text) {
			return
		}
		paths := repo.JSONPaths(text, mentions)
		if len(paths) == 0 {
			paths = []string{""}
		}
		for _, path := range paths {
			found = append(found, repo.Mention{Table: r.name, Row: row, Column: r.columnName(column), Path: path})
		}
	}
	err = db.withPlan(ctx, pgxTx(t), func(p *plan) error {
		found = nil
		args := []any{db.looks.mode(), []string{id}, db.schema, exceptions}
		if _, err := p.scan(ctx, pgxTx(t), p.look, args, func(part int, r *relation, row string, column int, text []byte) {
			if part == partChanged {
				add(r, row, column, text)
			}
		}); err != nil {
			return err
		}
		for _, r := range p.relations {
			if err := r.indexedTexts(ctx, pgxTx(t), id, add); err != nil {
				return err
			}
		}
		return nil
	})
	return found, err
}

// indexedTexts reads the texts of the living rows of r that the index says
// mention the id and that have not changed since.
func (r *relation) indexedTexts(ctx context.Context, t pgx.Tx, id string, add func(*relation, string, int, []byte)) error {
	if !r.indexed() || len(r.columns) == 0 {
		return nil
	}
	sql := fmt.Sprintf(`SELECT %s, v.n, v.text FROM pruned.reference r JOIN ONLY %s t ON %s %s
		WHERE r.file_id = $1::text AND r.source = $2::int AND age(t.xmin) > age(%s) AND v.text IS NOT NULL%s LIMIT %d`,
		r.keyText(), r.quoted(), r.keyIs("r.row_id"), r.texts(), r.w(), r.alive(), mostReferences)
	rows, err := t.Query(ctx, sql, id, r.id)
	if err != nil {
		return translate(err, "read table %s", r)
	}
	defer rows.Close()
	for rows.Next() {
		var row string
		var n int
		var text pgtype.DriverBytes
		if err := rows.Scan(&row, &n, &text); err != nil {
			return translate(err, "read table %s", r)
		}
		add(r, row, n, text)
	}
	return translate(rows.Err(), "read table %s", r)
}
