package postgres

import (
	"context"
	"errors"
	"fmt"

	"pruned/repo/postgres/pgerr"

	"github.com/jackc/pgx/v5"
)

// pageBlocks of a table are read before it is asked whether to go on: with chats
// two thousand or so.
const pageBlocks = 32

const nextScanSQL = `
SELECT r.id, r.relid, r.signature, r.scanning = s.generation, coalesce(r.position, ''), r.rows, greatest(c.reltuples, 0)::bigint, s.generation
  FROM pruned.relation r CROSS JOIN pruned.state s LEFT JOIN pg_class c ON c.oid = r.relid
 WHERE r.generation < s.generation
 ORDER BY r.id LIMIT 1`

// scan is a full pass over one table, under way.
type scan struct {
	id             int
	relid          uint32
	signature      string
	resumed        bool
	position       string
	rows, estimate int64
	generation     int

	file        uint32 // in which the table lies
	next, until int64  // its blocks that are still to be read
}

// nextScan is that of the next table. pgx.ErrNoRows: there is none.
func nextScan(ctx context.Context, t pgx.Tx) (*scan, error) {
	s := &scan{}
	err := t.QueryRow(ctx, nextScanSQL).Scan(&s.id, &s.relid, &s.signature, &s.resumed, &s.position, &s.rows, &s.estimate, &s.generation)
	if errors.Is(err, pgx.ErrNoRows) {
		return nil, err
	}
	return s, pgerr.Translate(err, "look for the next table to read")
}

const blocksSQL = `SELECT pg_relation_filenode($1::oid), pg_relation_size($1::oid) / current_setting('block_size')::bigint`

// locate finds the blocks that are still to be read. The lock keeps the table in
// its file until the transaction ends: VACUUM FULL and whatever else moves rows
// puts them into another one, which is then read from its first block.
func (s *scan) locate(ctx context.Context, t pgx.Tx, r *relation) error {
	if _, err := t.Exec(ctx, `LOCK TABLE ONLY `+r.quoted()+` IN ACCESS SHARE MODE`); err != nil {
		return pgerr.Translate(err, "lock table %s", r)
	}
	if err := t.QueryRow(ctx, blocksSQL, s.relid).Scan(&s.file, &s.until); err != nil {
		return pgerr.Translate(err, "look where table %s lies", r)
	}
	var file uint32
	_, err := fmt.Sscanf(s.position, "%d/%d", &file, &s.next)
	if err != nil || !s.resumed || file != s.file {
		s.next, s.rows = 0, 0
	}
	return nil
}

const (
	scannedSQL  = `UPDATE pruned.relation SET generation = $2, scanning = 0, position = NULL, rows = 0 WHERE id = $1`
	scanningSQL = `UPDATE pruned.relation SET scanning = $2, position = $3, rows = $4 WHERE id = $1`
)

// note writes how far the table was read.
func (s *scan) note(ctx context.Context, t pgx.Tx, r *relation) (err error) {
	if s.next >= s.until {
		_, err = t.Exec(ctx, scannedSQL, s.id, s.generation)
	} else {
		_, err = t.Exec(ctx, scanningSQL, s.id, s.generation, fmt.Sprintf("%d/%d", s.file, s.next), s.rows)
	}
	return pgerr.Translate(err, "note how far table %s was read", r)
}
