package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"
	"golang.org/x/sync/errgroup"

	"pruned/repo/testenv"
)

const batch = 500

var batchSetting = fmt.Sprintf("PRUNED_BATCH=%d", batch)

// measureDeletes compares the drain, from the start of its process to its exit, with
// bare SQL that deletes the same files in the same order, in batches of the size
// that the drain starts with. Bare SQL in two sessions shows what this machine
// gains at all from a second one.
func (b *bench) measureDeletes(ctx context.Context) error {
	files := 4000 / b.shrink
	origin, err := b.seedWorld(ctx, testenv.SeedOptions{
		Files: 2 * files, Orphans: files, ChunksPerFile: 10,
		Vectors: testenv.VectorOptions{Dim: 1536, Index: true},
	}, false)
	if err == nil {
		err = origin.copyIntoKnowledge(ctx)
	}
	if err != nil {
		return err
	}
	events := origin.shuffledIDs()
	bare := func(sessions int, statements ...string) func(*world) (time.Duration, error) {
		return func(w *world) (time.Duration, error) {
			return w.bareDeletes(ctx, w.orphansOf(events), sessions, statements...)
		}
	}
	pruned := func(settings ...string) func(*world) (time.Duration, error) {
		return func(w *world) (time.Duration, error) { return w.drainEvents(ctx, events, settings...) }
	}
	ways := []struct {
		name  string
		fn    func(*world) (time.Duration, error)
		rates []float64 // by round
	}{
		{name: "bare SQL that leaves the copies in knowledge bases", fn: bare(1, bareOwn, bareFiles)},
		{name: "bare SQL", fn: bare(1, bareOwn, bareShared, bareFiles)},
		{name: "bare SQL, two sessions", fn: bare(2, bareOwn, bareShared, bareFiles)},
		{name: "pruned, one worker", fn: pruned("PRUNED_WORKERS=1")},
		{name: "pruned, two workers", fn: pruned("PRUNED_WORKERS=2")},
		{name: "pruned, two workers, rows kept in the trash", fn: pruned("PRUNED_WORKERS=2", "PRUNED_TRASH=72h")},
	}
	for range b.rounds {
		for i := range ways {
			took, err := origin.onCopy(ctx, ways[i].fn)
			if err != nil {
				return err
			}
			ways[i].rates = append(ways[i].rates, float64(files)/took.Seconds())
		}
	}
	var rows [][]string
	for _, way := range ways {
		rows = append(rows, []string{way.name, fmt.Sprintf("%.0f", median(way.rates)), fmt.Sprintf("%.2f", median(ratios(way.rates, ways[1].rates)))})
	}
	return errors.Join(origin.dropWorld(ctx), printTable(fmt.Sprintf("Deletes: %d orphans mixed with %d files in use, 10 chunks of 1,536 dimensions a file, those of every tenth orphan also in a knowledge base, ivfflat and GIN indexes, %d a batch; from start to exit; median of %d rounds",
		files, files, batch, b.rounds), []string{"", "files/s", "of bare SQL"}, rows))
}

// onCopy runs fn on a world with the same data.
func (w *world) onCopy(ctx context.Context, fn func(*world) (time.Duration, error)) (time.Duration, error) {
	c, err := w.copyWorld(ctx)
	if err != nil {
		return 0, err
	}
	took, err := fn(c)
	return took, errors.Join(err, c.dropWorld(ctx))
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
	return w.withConn(ctx, func(conn *pgx.Conn) error {
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

// orphansOf are the orphans in the order of the events.
func (w *world) orphansOf(events []string) []string {
	return slices.DeleteFunc(slices.Clone(events), func(id string) bool { return !slices.Contains(w.Orphans, id) })
}

// bareDeletes deletes the orphans in their order, in so many sessions at once.
func (w *world) bareDeletes(ctx context.Context, orphans []string, sessions int, statements ...string) (time.Duration, error) {
	batches := slices.Collect(slices.Chunk(orphans, batch))
	next := make(chan []string, len(batches))
	for _, ids := range batches {
		next <- ids
	}
	close(next)
	start := time.Now()
	group, ctx := errgroup.WithContext(ctx)
	for range sessions {
		group.Go(func() error {
			return w.withConn(ctx, func(conn *pgx.Conn) error {
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

func (w *world) drainEvents(ctx context.Context, events []string, settings ...string) (time.Duration, error) {
	if err := w.prepareEvents(ctx, events); err != nil {
		return 0, err
	}
	r, err := w.drainAll(ctx, append(settings, batchSetting)...)
	if err != nil {
		return 0, err
	}
	left, err := w.countHeld(ctx, w.Orphans)
	if err == nil && left.chunks+left.shared > 0 {
		err = fmt.Errorf("the drain left of deleted files %s", left)
	}
	return r.wall, err
}

// measureInUse measures events about files in use, of which nothing comes.
func (b *bench) measureInUse(ctx context.Context) error {
	files := 100000 / b.shrink
	w, err := b.seedWorld(ctx, testenv.SeedOptions{Files: files}, false)
	if err != nil {
		return err
	}
	var drain, process []float64
	for range b.rounds {
		if err := w.publishEvents(ctx, w.InUse); err != nil {
			return err
		}
		r, err := w.drainAll(ctx, "PRUNED_WORKERS=1")
		if err != nil {
			return err
		}
		drain, process = append(drain, float64(files)/r.Duration), append(process, float64(files)/r.wall.Seconds())
	}
	return errors.Join(w.dropWorld(ctx), printTable(fmt.Sprintf("Events about %d files in use, one worker; median of %d rounds", files, b.rounds),
		[]string{"", "events/s"}, [][]string{
			{"the drain", fmt.Sprintf("%.0f", median(drain))},
			{"from start to exit of the process", fmt.Sprintf("%.0f", median(process))},
		}))
}
