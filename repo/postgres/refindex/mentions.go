package refindex

import (
	"context"
	"fmt"
	"slices"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"

	"pruned/repo"
	"pruned/repo/mention"
	"pruned/repo/openwebui"
	"pruned/repo/postgres/pgerr"
)

// maxReferences bounds an explanation: a picture may be in every chat.
const maxReferences = 1000

// ListMentions lists every mention of one file that keeps it, up to 1,000.
func (ix *Index) ListMentions(ctx context.Context, t pgx.Tx, id string) (found []repo.Mention, err error) {
	mentions := mention.NewFinder([]string{id}).FindsAny
	add := func(a *answerRow) {
		at, column := a.toReference(), a.relation.findColumn(a.column)
		column.eachReading(a.text, func(text []byte) {
			if len(found) >= maxReferences || !mentions(text) {
				return
			}
			citing, whole := openwebui.CitationsOf(at.Table, at.Column)
			for _, p := range mention.Places(text, citing, whole, mentions) {
				if !p.Cites || !ix.CitationsIgnore {
					found = append(found, repo.Mention{Table: at.Table, Row: at.Row, Column: at.Column, Path: p.Path, Cites: p.Cites})
				}
			}
		})
	}
	err = ix.withPlan(ctx, t, nil, func(p *Plan) error {
		found = nil
		if _, err := p.runStatement(ctx, t, p.find, ix.searchArgs(p, []string{id}, noBaseline), func(a *answerRow) {
			if a.part == partChanged {
				add(a)
			}
		}); err != nil {
			return err
		}
		for _, r := range p.relations {
			if err := r.indexedTexts(ctx, t, id, add); err != nil {
				return err
			}
		}
		if err := p.markDeparted(ctx, t, found); err != nil {
			return err
		}
		return ix.fillInChats(ctx, t, p, found)
	})
	return found[:min(len(found), maxReferences)], err
}

// indexedTexts reads the texts of the living rows of r that the index says
// mention the id and that have not changed since.
func (r *relation) indexedTexts(ctx context.Context, t pgx.Tx, id string, add func(*answerRow)) error {
	if !r.canIndex() || len(r.columns) == 0 {
		return nil
	}
	sql := fmt.Sprintf(`SELECT %s, v.n, v.text FROM pruned.reference r JOIN ONLY %s t ON %s %s
		WHERE r.file_id = $1::text AND r.source = $2::int AND NOT %s AND v.text IS NOT NULL%s LIMIT %d`,
		r.keyText(), r.quotedName(), r.keyIs("r.row_id"), r.textsSQL(), r.isChanged(), r.aliveSQL(), maxReferences)
	return r.readTexts(ctx, t, add, sql, id, r.id)
}

// readTexts calls add with each row of a query for rows of r: key, column and text.
func (r *relation) readTexts(ctx context.Context, t pgx.Tx, add func(*answerRow), sql string, args ...any) error {
	rows, err := t.Query(ctx, sql, args...)
	if err != nil {
		return pgerr.Translate(err, "read table %s", r)
	}
	defer rows.Close()
	for rows.Next() {
		a := &answerRow{relation: r}
		if err := rows.Scan(&a.row, &a.column, (*pgtype.DriverBytes)(&a.text)); err != nil {
			return pgerr.Translate(err, "read table %s", r)
		}
		add(a)
	}
	return pgerr.Translate(rows.Err(), "read table %s", r)
}

// fillInChats fills in title and owner of the chats that hold the mentions, or to which
// their rows belong by a column chat_id.
func (ix *Index) fillInChats(ctx context.Context, t pgx.Tx, p *Plan, found []repo.Mention) error {
	chat := p.findRelation(ix.Schema, "chat")
	if chat == nil || !chat.hasColumn("title") || !chat.hasColumn("user_id") {
		return nil
	}
	for _, r := range p.relations {
		link := map[bool]string{true: "id", false: "chat_id"}[r == chat]
		rows := rowsOf(r, found)
		if r.schema != ix.Schema || len(r.key) == 0 || !r.hasColumn(link) || len(rows) == 0 {
			continue
		}
		sql := fmt.Sprintf(`SELECT u.row, coalesce(c.title::text, ''), coalesce(c.user_id::text, '')
			FROM unnest($1::text[]) u (row) JOIN ONLY %s t ON %s JOIN %s c ON c.id = t.%s`,
			r.quotedName(), r.keyIs("u.row"), chat.quotedName(), link)
		answer, _ := t.Query(ctx, sql, rows)
		var row, title, owner string
		_, err := pgx.ForEachRow(answer, []any{&row, &title, &owner}, func() error {
			for i := range found {
				if found[i].Table == r.label && found[i].Row == row {
					found[i].Title, found[i].Owner = title, owner
				}
			}
			return nil
		})
		if err != nil {
			return pgerr.Translate(err, "look for the chats of table %s", r)
		}
	}
	return nil
}

func (p *Plan) findRelation(schema, name string) *relation {
	for _, r := range p.relations {
		if r.schema == schema && r.name == name {
			return r
		}
	}
	return nil
}

// rowsOf are the rows of r among the mentions, each once.
func rowsOf(r *relation, found []repo.Mention) (rows []string) {
	for _, m := range found {
		if m.Table == r.label && m.Row != "" && !slices.Contains(rows, m.Row) {
			rows = append(rows, m.Row)
		}
	}
	return rows
}
