package refindex

import (
	"context"
	"time"

	"github.com/bits-and-blooms/bloom/v3"
	"github.com/jackc/pgx/v5"

	"pruned/repo/mention"
	"pruned/repo/postgres/pgerr"
)

// pageBuffer gathers what some rows of one table mention.
type pageBuffer struct {
	relation *relation
	seen     int64               // rows
	fetching int                 // how many rows the next fetch asks for; zero at first
	row      string              // the row that is being read
	settled  bool                // that row version is older than its table's mark
	own      map[string]struct{} // tokens of that row
	known    *bloom.BloomFilter  // tokens of files, and a few others; nil: any may be one

	mentioned *uuidSet // takes the tokens of settled rows

	rows      []string // rows that were read since the last flush and that the index may know
	tokenRows []string // parallel to tokens
	tokens    []string // unique within a row
}

func newPageBuffer(r *relation, known *bloom.BloomFilter, mentioned *uuidSet) *pageBuffer {
	return &pageBuffer{relation: r, own: map[string]struct{}{}, known: known, mentioned: mentioned}
}

// startRow begins a row. Of a table that is read for the first time the index knows no
// rows.
func (p *pageBuffer) startRow(row string, settled bool) {
	p.row, p.settled = row, settled
	p.seen++
	if p.relation.generation > 0 {
		p.rows = append(p.rows, row)
	}
	clear(p.own)
}

// addToken leaves out most of the ids that are no file's: those of messages, users and
// chats, which are far more.
func (p *pageBuffer) addToken(token []byte) {
	if p.settled {
		p.mentioned.addToken(token)
	}
	if p.known != nil && !p.known.Test(token) {
		return
	}
	if _, known := p.own[string(token)]; !known {
		p.appendToken(string(token))
	}
}

func (p *pageBuffer) addLiteral(id string) {
	if _, known := p.own[mention.Token(id)]; !known {
		p.appendToken(mention.Token(id))
	}
}

func (p *pageBuffer) appendToken(token string) {
	p.own[token] = struct{}{}
	p.tokens = append(p.tokens, token)
	p.tokenRows = append(p.tokenRows, p.row)
}

// mentionsSQL makes the index say of the page's rows what they mention now: @rows are
// those that the index may know already. Mentions are looked up in their order, which
// takes half the time. A file, or a collection, that is mentioned is no candidate any
// more: its clock starts anew. OFFSET 0 keeps the planner, which has no statistics yet, from reading
// all known files for every page.
const mentionsSQL = `
WITH mentions AS MATERIALIZED (
    SELECT u.row_id, k.file_id
      FROM (SELECT row_id, token FROM unnest(@mentioning::text[], @tokens::text[]) u (row_id, token) ORDER BY token) u
     CROSS JOIN LATERAL (SELECT file_id FROM pruned.known_file WHERE token = u.token OFFSET 0) k
), forgotten AS (
    DELETE FROM pruned.reference r WHERE r.source = @source::int AND r.row_id = ANY (@rows::text[])
       AND left(r.row_id, 250) = ANY (ARRAY(SELECT left(row_id, 250) FROM unnest(@rows::text[]) u (row_id)))
       AND NOT EXISTS (SELECT FROM mentions m WHERE m.row_id = r.row_id AND m.file_id = r.file_id)
), added AS (
    INSERT INTO pruned.reference (file_id, source, row_id)
    SELECT file_id, @source::int, row_id FROM mentions ON CONFLICT DO NOTHING
    RETURNING file_id)
DELETE FROM pruned.candidate WHERE direction IN ('row', 'collection') AND file_id IN (SELECT file_id FROM added)`

// isFull reports that it is time for a flush.
func (p *pageBuffer) isFull() bool { return len(p.rows)+len(p.tokens) >= maxHeldRows }

func (p *pageBuffer) flushMentions(ctx context.Context, t pgx.Tx) error {
	if len(p.rows)+len(p.tokens) == 0 {
		return nil
	}
	if _, err := t.Exec(ctx, mentionsSQL, pgx.NamedArgs{"source": p.relation.id, "rows": p.rows, "mentioning": p.tokenRows, "tokens": p.tokens}); err != nil {
		return pgerr.Translate(err, "index table %s", p.relation)
	}
	p.clearRows()
	return nil
}

func (p *pageBuffer) clearRows() {
	p.rows, p.tokenRows, p.tokens = p.rows[:0], p.tokenRows[:0], p.tokens[:0]
}

// knownFiles is a filter of the ids that a full pass looks for, as of a pass:
// nothing else adds ids, and passes exclude each other.
type knownFiles struct {
	passedAt time.Time
	filter   *bloom.BloomFilter
}

// falsePositiveRate is the fraction of other ids that the filter lets through; the
// database sorts them out, at a cost for which the filter refuses hundreds.
const falsePositiveRate = 0.0005

// loadFilter returns the filter, brought up to date, inside a transaction that excludes
// passes. It takes about sixteen bits a file.
func (k *knownFiles) loadFilter(ctx context.Context, t pgx.Tx, passedAt time.Time) (*bloom.BloomFilter, error) {
	if k.filter != nil && k.passedAt.Equal(passedAt) {
		return k.filter, nil
	}
	var n uint
	if err := t.QueryRow(ctx, `SELECT count(*) FROM pruned.known_file`).Scan(&n); err != nil {
		return nil, pgerr.Translate(err, "count the known files")
	}
	filter := bloom.NewWithEstimates(max(n, 1), falsePositiveRate)
	rows, _ := t.Query(ctx, `SELECT token FROM pruned.known_file`)
	var token []byte
	_, err := pgx.ForEachRow(rows, []any{&token}, func() error {
		filter.Add(token)
		return nil
	})
	k.passedAt, k.filter = passedAt, filter
	return filter, pgerr.Translate(err, "list the known files")
}
