package main

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"
	"golang.org/x/sync/errgroup"

	"pruned/repo/testenv"
)

const batch = 500

// deletes compares the drain, from the start of its process to its exit, with
// bare SQL that deletes the same files in the same order, in batches of the size
// that the drain starts with. Bare SQL in two sessions shows what this machine
// gains at all from a second one.
func (b *bench) deletes(ctx context.Context) error {
	files := 4000 / b.shrink
	origin, err := b.seed(ctx, testenv.SeedOptions{
		Files: 2 * files, Orphans: files, ChunksPerFile: 10,
		Vectors: testenv.VectorOptions{Dim: 1536, Index: true},
	}, false)
	if err != nil {
		return err
	}
	if err := origin.copyIntoKnowledge(ctx); err != nil {
		return err
	}
	events := slices.Concat(origin.Orphans, origin.InUse)
	rand.Shuffle(len(events), func(i, j int) { events[i], events[j] = events[j], events[i] })
	var own, bare, both, one, two []float64
	for range b.rounds {
		for _, run := range []struct {
			rates *[]float64
			fn    func(*world) (time.Duration, error)
		}{
			{&own, func(w *world) (time.Duration, error) { return w.bareDeletes(ctx, events, 1, bareOwn, bareFiles) }},
			{&bare, func(w *world) (time.Duration, error) {
				return w.bareDeletes(ctx, events, 1, bareOwn, bareShared, bareFiles)
			}},
			{&both, func(w *world) (time.Duration, error) {
				return w.bareDeletes(ctx, events, 2, bareOwn, bareShared, bareFiles)
			}},
			{&one, func(w *world) (time.Duration, error) { return w.drained(ctx, events, files, "1") }},
			{&two, func(w *world) (time.Duration, error) { return w.drained(ctx, events, files, "2") }},
		} {
			w, err := origin.copy(ctx)
			if err != nil {
				return err
			}
			took, err := run.fn(w)
			if err != nil {
				return err
			}
			*run.rates = append(*run.rates, float64(files)/took.Seconds())
			if err := w.drop(ctx); err != nil {
				return err
			}
		}
	}
	row := func(name string, rates []float64) []string {
		return []string{name, fmt.Sprintf("%.0f", median(rates)), fmt.Sprintf("%.2f", median(ratios(rates, bare)))}
	}
	if err := table(fmt.Sprintf("Deletes: %d orphans mixed with %d files in use, 10 chunks of 1,536 dimensions a file, those of every tenth orphan also in a knowledge base, ivfflat and GIN indexes, %d a batch; from start to exit; median of %d rounds",
		files, files, batch, b.rounds), []string{"", "files/s", "of bare SQL"},
		[][]string{row("bare SQL that leaves the copies in knowledge bases", own), row("bare SQL", bare), row("bare SQL, two sessions", both), row("pruned, one worker", one), row("pruned, two workers", two)}); err != nil {
		return err
	}
	return origin.drop(ctx)
}

// ratios are taken round by round: the machine's speed drifts.
func ratios(rates, to []float64) (list []float64) {
	for i := range rates {
		list = append(list, rates[i]/to[i])
	}
	return list
}

// copyIntoKnowledge leaves the chunks of every tenth orphan in a knowledge base
// as well, which is what the application does when it removes a file from
// another one.
func (w *world) copyIntoKnowledge(ctx context.Context) error {
	var collections []string
	for i := 0; i < len(w.Orphans); i += 10 {
		collections = append(collections, "file-"+w.Orphans[i])
	}
	return w.connected(ctx, func(conn *pgx.Conn) error {
		_, err := conn.Exec(ctx, `INSERT INTO document_chunk (id, vector, collection_name, text, vmetadata)
			SELECT gen_random_uuid(), vector, $2, text, vmetadata FROM document_chunk WHERE collection_name = ANY ($1)`,
			collections, testenv.NewID())
		if err == nil {
			_, err = conn.Exec(ctx, "VACUUM ANALYZE document_chunk")
		}
		return err
	})
}

// Bare SQL, by a batch of ids. Chunks in knowledge bases have no index of the
// application's to be found by.
const (
	bareOwn    = `DELETE FROM document_chunk WHERE collection_name = ANY (ARRAY(SELECT 'file-' || id FROM unnest($1::text[]) id))`
	bareShared = `DELETE FROM document_chunk WHERE vmetadata ->> 'file_id' = ANY ($1::text[])`
	bareFiles  = `DELETE FROM file WHERE id = ANY ($1::text[])`
)

// bareDeletes deletes the orphans in the order of the events, in so many sessions
// at once.
func (w *world) bareDeletes(ctx context.Context, events []string, sessions int, statements ...string) (time.Duration, error) {
	batches := slices.Collect(slices.Chunk(w.orphansOf(events), batch))
	next := make(chan []string, len(batches))
	for _, ids := range batches {
		next <- ids
	}
	close(next)
	start := time.Now()
	group, ctx := errgroup.WithContext(ctx)
	for range sessions {
		group.Go(func() error {
			return w.connected(ctx, func(conn *pgx.Conn) error {
				for ids := range next {
					if err := deleteBare(ctx, conn, ids, statements); err != nil {
						return err
					}
				}
				return nil
			})
		})
	}
	err := group.Wait()
	return time.Since(start), err
}

func deleteBare(ctx context.Context, conn *pgx.Conn, ids, statements []string) error {
	return pgx.BeginFunc(ctx, conn, func(tx pgx.Tx) error {
		for _, sql := range statements {
			if _, err := tx.Exec(ctx, sql, ids); err != nil {
				return err
			}
		}
		return nil
	})
}

// orphansOf are the orphans among the events, in their order.
func (w *world) orphansOf(events []string) (list []string) {
	orphans := make(map[string]bool, len(w.Orphans))
	for _, id := range w.Orphans {
		orphans[id] = true
	}
	for _, id := range events {
		if orphans[id] {
			list = append(list, id)
		}
	}
	return list
}

func (w *world) drained(ctx context.Context, events []string, orphans int, workers string) (time.Duration, error) {
	// The index is there: it is built at the first start only.
	if _, err := w.drain(ctx); err != nil {
		return 0, err
	}
	if err := w.publish(ctx, events); err != nil {
		return 0, err
	}
	r, err := w.drain(ctx, "PRUNED_WORKERS="+workers, fmt.Sprintf("PRUNED_BATCH=%d", batch))
	if err == nil && (r.Deleted != orphans || r.Kept != len(events)-orphans) {
		err = fmt.Errorf("the drain deleted %d and kept %d of %d files of which %d are orphans", r.Deleted, r.Kept, len(events), orphans)
	}
	if err != nil {
		return 0, err
	}
	left, err := w.count(ctx, `SELECT count(*) FROM document_chunk WHERE vmetadata ->> 'file_id' = ANY ($1)`, w.Orphans)
	if err == nil && left > 0 {
		err = fmt.Errorf("the drain left %d chunks of deleted files", left)
	}
	return r.wall, err
}

// inUse measures events about files in use, of which nothing comes.
func (b *bench) inUse(ctx context.Context) error {
	files := 100000 / b.shrink
	w, err := b.seed(ctx, testenv.SeedOptions{Files: files}, false)
	if err != nil {
		return err
	}
	var drain, process []float64
	for range b.rounds {
		if err := w.publish(ctx, w.InUse); err != nil {
			return err
		}
		r, err := w.drain(ctx, "PRUNED_WORKERS=1")
		if err != nil {
			return err
		}
		if r.Kept != files {
			return fmt.Errorf("the drain kept %d of %d files in use", r.Kept, files)
		}
		drain, process = append(drain, float64(files)/r.Duration), append(process, float64(files)/r.wall.Seconds())
	}
	if err := table(fmt.Sprintf("Events about %d files in use, one worker; median of %d rounds", files, b.rounds),
		[]string{"", "events/s"}, [][]string{
			{"the drain", fmt.Sprintf("%.0f", median(drain))},
			{"from start to exit of the process", fmt.Sprintf("%.0f", median(process))},
		}); err != nil {
		return err
	}
	return w.drop(ctx)
}
