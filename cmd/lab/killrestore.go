package main

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"
)

type killRestoreCmd struct {
	killCmd
}

// Run kills drains, and restores of what they deleted, with SIGKILL at random moments. Each
// time every file must either be there or in the trash, and in the end all are as they were.
func (c *killRestoreCmd) Run(ctx context.Context, l *lab) error {
	c.Leftovers = 0 // nothing brings a collection back
	p, err := c.seedInstallation(ctx, l)
	if err != nil {
		return err
	}
	p.stores = append(p.stores, "PRUNED_TRASH=72h")
	r := &restores{promises: p}
	if r.before, err = r.digestRows(ctx, r.Orphans); err != nil {
		return err
	}
	all := p.shuffledSubjects()
	drains := &kills{promises: p, times: c.Times, unpublished: all, portion: max(1, len(all)/(2*c.Times)), afterEach: r.restoreSome}
	if err := drains.killDrains(ctx); err != nil {
		return err
	}
	if err := r.discardAll(ctx); err != nil {
		return err
	}
	if err := r.killRestores(ctx, c.Times); err != nil {
		return err
	}
	if err := r.runLast(ctx); err != nil {
		return err
	}
	fmt.Printf("killed %d of %d drains and %d of %d restores, %d of those in the midst of their files: each of %d files always was either there or in the trash, "+
		"with its bytes, its tombstone and its line in the ledger, and all came back as they were, without links; no file in use lost anything\n",
		drains.killed, drains.tries, r.killed, r.tries, r.torn, len(r.Orphans))
	return nil
}

// restores are restores that are killed.
type restores struct {
	*promises
	before string // digest of the rows
	whole  time.Duration

	tries, killed, torn int
}

// restoreSome takes back whatever a killed drain has left in the trash, and may be killed
// itself: tombstones of vectors wait meanwhile, and events of what comes back come again.
func (r *restores) restoreSome(ctx context.Context) error {
	if err := r.checkTrash(ctx); err != nil {
		return err
	}
	if _, err := r.runAndKill(ctx, time.Duration(rand.Int64N(int64(time.Second))), []string{"restore", "--all"}); err != nil {
		return err
	}
	return r.checkTrash(ctx)
}

// discardAll has every orphan deleted, also those that were restored.
func (r *restores) discardAll(ctx context.Context) error {
	if _, err := r.drainQueue(ctx); err != nil {
		return err
	}
	if err := r.publishEvents(ctx, r.Orphans); err != nil {
		return err
	}
	if _, err := r.drainQueue(ctx); err != nil {
		return err
	}
	n, err := r.countTrash(ctx, r.Orphans)
	if err == nil && n.entries != int64(len(r.Orphans)) {
		err = fmt.Errorf("of %d orphans %d are in the trash after the drain", len(r.Orphans), n.entries)
	}
	return errors.Join(err, r.checkTrash(ctx))
}

// killRestores starts restores of a few files until as many as wanted were killed.
func (r *restores) killRestores(ctx context.Context, times int) error {
	waiting := slices.Clone(r.Orphans)
	portion := max(1, len(waiting)/(3*times))
	for ; r.killed < times; r.tries++ {
		if len(waiting) == 0 {
			return fmt.Errorf("of %d restores only %d were killed before they ended", r.tries, r.killed)
		}
		some := waiting[:min(portion, len(waiting))]
		waiting = waiting[len(some):]
		moment := time.Hour // the first one tells how long they take
		if r.whole > 0 {
			moment = time.Duration(rand.Int64N(int64(r.whole) * 5 / 4))
		}
		began := time.Now()
		done, err := r.runAndKill(ctx, moment, append([]string{"restore"}, some...))
		if err != nil {
			return fmt.Errorf("restore %d: %w", r.tries+1, err)
		}
		if done {
			r.whole = time.Since(began)
			continue
		}
		r.killed++
		n, err := r.countTrash(ctx, some)
		if err != nil {
			return err
		}
		if n.rows > 0 && n.entries > 0 {
			r.torn++
		}
		if err := errors.Join(r.checkTrash(ctx), r.checkNothingLost(ctx)); err != nil {
			return fmt.Errorf("after kill %d of a restore: %w", r.killed, err)
		}
	}
	return nil
}

// runLast takes back what is left, and has carried out what waits of vectors.
func (r *restores) runLast(ctx context.Context) error {
	if _, _, err := r.runProgram(ctx, nil, nil, nil, "restore", "--all"); err != nil {
		return err
	}
	if _, err := r.drainQueue(ctx); err != nil {
		return err
	}
	after, err := r.digestRows(ctx, r.Orphans)
	if err != nil {
		return err
	}
	if after != r.before {
		return errors.New("the rows that came back are not as they were")
	}
	h, err := r.countAll(ctx, r.Orphans)
	if err != nil {
		return err
	}
	if h.tombstones > 0 {
		return fmt.Errorf("files that came back have %s", h)
	}
	if torn, err := r.countTorn(ctx); err != nil || torn > 0 {
		return errors.Join(err, fmt.Errorf("%d collections are left in part", torn))
	}
	return errors.Join(r.checkTrash(ctx), r.checkNothingLost(ctx))
}

// trashCount is what the tables say of files.
type trashCount struct {
	rows, entries int64
	torn          int64 // files that these tables disagree about
}

// trashSQL asks of each file whether it is either there, without links and last restored by
// the ledger, or in the trash, with a tombstone of its bytes and last deleted. %[1]s begins
// the names of our tables, %[2]s lists ids.
const trashSQL = `
SELECT coalesce(sum(there), 0), coalesce(sum(kept), 0),
       coalesce(sum(CASE WHEN there = kept OR entombed <> kept OR last <> kept OR linked = 1 THEN 1 ELSE 0 END), 0)
  FROM (SELECT CASE WHEN EXISTS (SELECT 1 FROM file f WHERE f.id = w.id) THEN 1 ELSE 0 END AS there,
               CASE WHEN EXISTS (SELECT 1 FROM %[1]strash t WHERE t.file_id = w.id AND NOT t.bytes_gone) THEN 1 ELSE 0 END AS kept,
               CASE WHEN EXISTS (SELECT 1 FROM %[1]stombstone t WHERE t.file_id = w.id AND t.kind = 'bytes') THEN 1 ELSE 0 END AS entombed,
               CASE WHEN 'deleted' = (SELECT outcome FROM %[1]sledger l WHERE l.file_id = w.id AND outcome IN ('deleted', 'restored')
                                       ORDER BY seq DESC LIMIT 1) THEN 1 ELSE 0 END AS last,
               CASE WHEN EXISTS (SELECT 1 FROM chat_file l WHERE l.file_id = w.id) OR EXISTS (SELECT 1 FROM knowledge_file l WHERE l.file_id = w.id)
                      OR EXISTS (SELECT 1 FROM channel_file l WHERE l.file_id = w.id) THEN 1 ELSE 0 END AS linked
          FROM (%[2]s) w) x`

func (w *world) countTrash(ctx context.Context, ids []string) (n trashCount, err error) {
	err = w.withConn(ctx, func(conn *pgx.Conn) error {
		return conn.QueryRow(ctx, fmt.Sprintf(trashSQL, "pruned.", "SELECT unnest($1::text[]) AS id"), ids).Scan(&n.rows, &n.entries, &n.torn)
	})
	return n, err
}

func (f *folder) countTrash(ctx context.Context, ids []string) (n trashCount, err error) {
	return n, queryRow(ctx, f.webui(), fmt.Sprintf(trashSQL, "pruned_", "SELECT value AS id FROM json_each(?1)"), encodeIDs(ids), &n.rows, &n.entries, &n.torn)
}

// checkTrash checks that the tables agree about every orphan, and that all have their bytes.
func (r *restores) checkTrash(ctx context.Context) error {
	n, err := r.countTrash(ctx, r.Orphans)
	if err != nil {
		return err
	}
	h, err := r.countAll(ctx, r.Orphans)
	if err != nil {
		return err
	}
	if all := int64(len(r.Orphans)); n.torn > 0 || n.rows+n.entries != all || h.bytes != all {
		return fmt.Errorf("of %d orphans %d are there and %d in the trash, %d have bytes, and the tables disagree about %d", all, n.rows, n.entries, h.bytes, n.torn)
	}
	return nil
}

func (w *world) digestRows(ctx context.Context, ids []string) (digest string, err error) {
	err = w.withConn(ctx, func(conn *pgx.Conn) error {
		return conn.QueryRow(ctx, `SELECT md5(string_agg(f::text, '|' ORDER BY id)) FROM file f WHERE id = ANY ($1)`, ids).Scan(&digest)
	})
	return digest, err
}

func (f *folder) digestRows(ctx context.Context, ids []string) (digest string, err error) {
	var text sql.NullString
	err = queryRow(ctx, f.webui(), `SELECT group_concat(quote(id) || quote(user_id) || quote(filename) || quote(path) || quote(hash) || quote(data) || quote(meta)
       || quote(created_at) || quote(updated_at), '|' ORDER BY id) FROM file WHERE id IN (SELECT value FROM json_each(?1))`, encodeIDs(ids), &text)
	return text.String, err
}
