package refindex

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"pruned/repo"
	"pruned/repo/postgres/pgerr"
)

// indexPagesInTx reads on in the tables that have to be read whole, for PageTime. done
// tells that nothing is left.
func (ix *Index) indexPagesInTx(ctx context.Context, t pgx.Tx, known *knownFiles, progress repo.Progress) (done bool, err error) {
	state, err := ix.lockState(ctx, t)
	if err != nil {
		return false, err
	}
	if !state.sound || state.passedAt == nil {
		return false, errTablesChanged
	}
	if _, err := nextScan(ctx, t); errors.Is(err, pgx.ErrNoRows) {
		return true, nil
	}
	relations, err := ix.readRelations(ctx, t)
	if err != nil {
		return false, err
	}
	if err := completeEmpty(ctx, t, relations, state.generation); err != nil {
		return false, err
	}
	x, err := newIndexer(ctx, t)
	if err != nil {
		return false, err
	}
	for until := time.Now().Add(ix.PageTime); ; {
		err := x.nextTable(ctx, relations, known, *state.passedAt, until, progress)
		if done = errors.Is(err, pgx.ErrNoRows); err != nil && !done {
			return false, err
		}
		if done || !time.Now().Before(until) {
			return done, x.mentioned.flushUUIDs(ctx, t, true)
		}
	}
}

// completeEmpty marks empty tables, most of them, as read.
func completeEmpty(ctx context.Context, t pgx.Tx, relations []*relation, generation int) error {
	var empty []string
	for _, r := range relations {
		if r.canIndex() && r.id != 0 && r.generation < generation {
			empty = append(empty, fmt.Sprintf("SELECT %d WHERE NOT EXISTS (SELECT FROM ONLY %s)", r.id, r.quotedName()))
		}
	}
	if len(empty) == 0 {
		return nil
	}
	_, err := t.Exec(ctx, `UPDATE pruned.relation SET generation = $1, scanning = 0, position = NULL, rows = 0
		WHERE id IN (`+strings.Join(empty, " UNION ALL ")+`)`, generation)
	return pgerr.Translate(err, "look for empty tables")
}

// nextTable reads on in the next table until it ends or time is up, a page at the minimum.
// pgx.ErrNoRows: there is none.
func (x *indexer) nextTable(ctx context.Context, relations []*relation, known *knownFiles, passedAt, until time.Time, progress repo.Progress) error {
	s, err := nextScan(ctx, x.t)
	if err != nil {
		return err
	}
	i := slices.IndexFunc(relations, func(r *relation) bool { return r.oid == s.relid && r.signature == s.signature })
	if i < 0 {
		return errTablesChanged
	}
	if err := s.findBlocks(ctx, x.t, relations[i]); err != nil {
		return err
	}
	if x.known, err = known.loadFilter(ctx, x.t, passedAt); err != nil {
		return err
	}
	if err := x.readPages(ctx, relations[i], s, until, progress); err != nil {
		return err
	}
	return s.saveProgress(ctx, x.t, relations[i])
}

// readPages reads page by page, in the order in which they lie on the disk: in that
// of the primary key, which is random, it takes twice the time from memory, and far
// more from a disk. Within one file of a table a row version stays in its block for
// as long as it lives. So each that is older than the table's mark is in one of the
// blocks that there are now, and those that come later are read as changed.
func (x *indexer) readPages(ctx context.Context, r *relation, s *tableScan, until time.Time, progress repo.Progress) error {
	page := newPageBuffer(r, x.known, &x.mentioned)
	read, blocks := s.rows, int64(minPageBlocks)
	for again := true; again && s.next < s.until; again = time.Now().Before(until) {
		began := time.Now()
		end := min(s.next+blocks, s.until)
		where := fmt.Sprintf("t.ctid >= '(%d,0)' AND t.ctid < '(%d,0)'", s.next, end)
		if err := x.readRows(ctx, page, rowFilter{where: where, mark: r.markSQL(), whole: true}); err != nil {
			return err
		}
		blocks = nextBlocks(blocks, time.Since(began))
		s.next, s.rows = end, read+page.seen
		if progress != nil {
			progress(r.String(), s.rows, max(s.estimate, s.rows))
		}
	}
	return page.flushMentions(ctx, x.t)
}

// Blocks of a table are read before it is asked whether to go on: with chats two thousand or
// so at first, and twice as many while they are read so fast that nobody waits for long. Of
// small rows each statement reads many then.
const (
	minPageBlocks = 32
	maxPageBlocks = 4096
	briefPage     = 50 * time.Millisecond
)

func nextBlocks(blocks int64, took time.Duration) int64 {
	if took < briefPage {
		return min(2*blocks, maxPageBlocks)
	}
	return max(blocks/2, minPageBlocks)
}

const nextScanSQL = `
SELECT r.id, r.relid, r.signature, r.scanning = s.generation, coalesce(r.position, ''), r.rows, greatest(c.reltuples, 0)::bigint, s.generation
  FROM pruned.relation r CROSS JOIN pruned.state s LEFT JOIN pg_class c ON c.oid = r.relid
 WHERE r.generation < s.generation
 ORDER BY r.id LIMIT 1`

// tableScan is a full pass over one table, under way.
type tableScan struct {
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

// nextScan returns the scan of the next table. pgx.ErrNoRows: there is none.
func nextScan(ctx context.Context, t pgx.Tx) (*tableScan, error) {
	s := &tableScan{}
	err := t.QueryRow(ctx, nextScanSQL).Scan(&s.id, &s.relid, &s.signature, &s.resumed, &s.position, &s.rows, &s.estimate, &s.generation)
	if errors.Is(err, pgx.ErrNoRows) {
		return nil, err
	}
	return s, pgerr.Translate(err, "look for the next table to read")
}

const blocksSQL = `SELECT pg_relation_filenode($1::oid), pg_relation_size($1::oid) / current_setting('block_size')::bigint`

// findBlocks finds the blocks that are still to be read. The lock keeps the table in its
// file until the transaction ends: VACUUM FULL, like every statement that moves rows, puts
// them into another one, which is then read from its first block.
func (s *tableScan) findBlocks(ctx context.Context, t pgx.Tx, r *relation) error {
	if _, err := t.Exec(ctx, `LOCK TABLE ONLY `+r.quotedName()+` IN ACCESS SHARE MODE`); err != nil {
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
	scannedSQL  = `UPDATE pruned.relation SET generation = @generation, scanning = 0, position = NULL, rows = 0 WHERE id = @id`
	scanningSQL = `UPDATE pruned.relation SET scanning = @generation, position = @position, rows = @rows WHERE id = @id`
)

// saveProgress writes how far the table was read.
func (s *tableScan) saveProgress(ctx context.Context, t pgx.Tx, r *relation) error {
	sql := scanningSQL
	if s.next >= s.until {
		sql = scannedSQL
	}
	_, err := t.Exec(ctx, sql, pgx.NamedArgs{"id": s.id, "generation": s.generation,
		"position": fmt.Sprintf("%d/%d", s.file, s.next), "rows": s.rows})
	return pgerr.Translate(err, "note how far table %s was read", r)
}
