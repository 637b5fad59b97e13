package main

import (
	"context"
	"fmt"
	"slices"

	"github.com/jackc/pgx/v5"

	"pruned/repo/testenv"
)

// seedKnowledge makes knowledge bases with chunks of the files in use.
func (w *world) seedKnowledge(ctx context.Context, bases, chunks int) error {
	return w.execEach(ctx, []any{bases, chunks, w.InUse},
		`INSERT INTO knowledge (id, user_id, name, description, meta, created_at, updated_at)
		 SELECT md5(i::text)::uuid::text, 'u', 'A base', '', '{}', 1, 1 FROM generate_series(1, $1::int) i WHERE $2::int + cardinality($3::text[]) >= 0`,
		`INSERT INTO document_chunk (id, collection_name, text, vmetadata)
		 SELECT gen_random_uuid()::text, md5((1 + i % $1::int)::text)::uuid::text, 'a page',
		        jsonb_build_object('name', 'a', 'file_id', ($3::text[])[1 + i % cardinality($3::text[])]) FROM generate_series(1, $2::int) i`,
		`INSERT INTO document_chunk (id, collection_name, text, vmetadata)
		 SELECT id, 'knowledge-bases', 'A base', '{}' FROM knowledge WHERE $1::int + $2::int + cardinality($3::text[]) >= 0`)
}

// execEach runs statements that have the same parameters, and gathers statistics.
func (w *world) execEach(ctx context.Context, args []any, statements ...string) error {
	return w.withConn(ctx, func(conn *pgx.Conn) error {
		for _, sql := range statements {
			if _, err := conn.Exec(ctx, sql, args...); err != nil {
				return fmt.Errorf("%s: %w", sql, err)
			}
		}
		_, err := conn.Exec(ctx, "VACUUM ANALYZE")
		return err
	})
}

// measureCollections measures sweeps beside collections that hold nothing of a file, and
// knowledge bases, and without them: the first sweep, which reads all chats, and the next.
func (b *bench) measureCollections(ctx context.Context) error {
	const searches, unused, bases, chunks = 10_000, 100, 1000, 100_000
	files := 20_000 / b.shrink
	alone, err := b.seedWorld(ctx, testenv.SeedOptions{Files: files, Orphans: files / 20, Chats: files, ChatBytes: 8 << 10, ChunksPerFile: 2, Vectors: testenv.VectorOptions{Dim: 8}}, false)
	if err != nil {
		return err
	}
	beside, err := alone.copyWorld(ctx)
	if err != nil {
		return err
	}
	if err := beside.seedSearches(ctx, leftovers(searches/b.shrink/2).searches(), unused/b.shrink); err != nil {
		return err
	}
	if err := beside.seedKnowledge(ctx, bases/b.shrink, chunks/b.shrink); err != nil {
		return err
	}
	took := map[*world][][]float64{}
	peak := map[*world]float64{}
	for range b.rounds {
		for _, from := range []*world{alone, beside} {
			w, err := from.copyWorld(ctx)
			if err != nil {
				return err
			}
			var walls []float64
			for range 3 {
				s, err := w.runSweep(ctx, "PRUNED_MAX_FRACTION=1")
				if err != nil {
					return err
				}
				walls = append(walls, s.wall.Seconds())
				peak[from] = max(peak[from], s.peakMB)
			}
			took[from] = append(took[from], walls)
			if err := w.dropWorld(ctx); err != nil {
				return err
			}
		}
	}
	var rows [][]string
	for i, name := range []string{"first sweep", "second sweep", "third sweep"} {
		a, c := median(column(took[alone], i)), median(column(took[beside], i))
		rows = append(rows, []string{name, fmt.Sprintf("%.2fs", a), fmt.Sprintf("%.2fs", c), fmt.Sprintf("%.2f", c/a)})
	}
	rows = append(rows, []string{"peak memory", fmt.Sprintf("%.0f MB", peak[alone]), fmt.Sprintf("%.0f MB", peak[beside]), fmt.Sprintf("%.2f", peak[beside]/peak[alone])})
	return printTable(fmt.Sprintf("Sweeps of %d files, and beside %d collections, %d of them leftovers, and %d knowledge bases with %d chunks; from start to exit; median of %d rounds",
		files, searches/b.shrink, unused/b.shrink, bases/b.shrink, chunks/b.shrink, b.rounds), []string{"", "files alone", "beside them", "ratio"}, rows)
}

func column(rows [][]float64, i int) (values []float64) {
	for _, row := range rows {
		values = append(values, row[i])
	}
	return slices.Clip(values)
}
