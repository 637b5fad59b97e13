package postgres

import (
	"context"

	"github.com/jackc/pgx/v5"

	"pruned/repo"
)

// page gathers what some rows of one table mention.
type page struct {
	relation *relation
	seen     int64               // rows
	row      string              // the row that is being read
	own      map[string]struct{} // tokens of that row

	rows      []string // rows that were read since the last flush
	tokenRows []string // parallel to tokens
	tokens    []string // unique within a row
}

func newPage(r *relation) *page { return &page{relation: r, own: map[string]struct{}{}} }

// start says that what follows is of this row.
func (p *page) start(row string) {
	p.row = row
	p.seen++
	p.rows = append(p.rows, row)
	clear(p.own)
}

func (p *page) addToken(token []byte) {
	if _, known := p.own[string(token)]; !known {
		p.add(string(token))
	}
}

func (p *page) addLiteral(id string) {
	if _, known := p.own[repo.Token(id)]; !known {
		p.add(repo.Token(id))
	}
}

func (p *page) add(token string) {
	p.own[token] = struct{}{}
	p.tokens = append(p.tokens, token)
	p.tokenRows = append(p.tokenRows, p.row)
}

// mentionsSQL are the files that the page's rows mention. $1 is the source, $2
// the rows, $3 and $4 the rows and tokens of mentions.
const mentionsSQL = `
WITH mentions AS MATERIALIZED (
    SELECT u.row_id, k.file_id FROM unnest($3::text[], $4::text[]) u (row_id, token)
      JOIN pruned.known_file k ON k.token = u.token)`

const forgetSQL = mentionsSQL + `
DELETE FROM pruned.reference r WHERE r.source = $1::int AND r.row_id = ANY ($2::text[])
   AND NOT EXISTS (SELECT FROM mentions m WHERE m.row_id = r.row_id AND m.file_id = r.file_id)`

// A file that is mentioned is no candidate any more: its clock starts anew.
const rememberSQL = mentionsSQL + `, added AS (
    INSERT INTO pruned.reference (file_id, source, row_id)
    SELECT file_id, $1::int, row_id FROM mentions WHERE $2::text[] IS NOT NULL ON CONFLICT DO NOTHING
    RETURNING file_id)
DELETE FROM pruned.candidate WHERE direction = 'row' AND file_id IN (SELECT file_id FROM added)`

// full says that it is time for a flush.
func (p *page) full() bool { return len(p.rows)+len(p.tokens) >= flushAt }

// flush writes what was gathered.
func (p *page) flush(ctx context.Context, t pgx.Tx) error {
	if len(p.rows) == 0 {
		return nil
	}
	for _, sql := range []string{forgetSQL, rememberSQL} {
		if _, err := t.Exec(ctx, sql, p.relation.id, p.rows, p.tokenRows, p.tokens); err != nil {
			return translate(err, "index table %s", p.relation)
		}
	}
	p.rows, p.tokenRows, p.tokens = p.rows[:0], p.tokenRows[:0], p.tokens[:0]
	return nil
}
