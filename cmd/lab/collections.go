package main

import (
	"context"
	"fmt"
	"slices"

	"github.com/jackc/pgx/v5"

	"pruned/repo/testenv"
)

// seedKnowledge makes knowledge bases with chunks of the files in use, of which every
// hundredth lost its link: where most have none, links were lost, and a sweep is held.
func (w *world) seedKnowledge(ctx context.Context, bases, chunks int) error {
	return w.execEach(ctx, []any{bases, chunks, w.InUse},
		`INSERT INTO knowledge (id, user_id, name, description, meta, created_at, updated_at)
		 SELECT md5(i::text)::uuid::text, 'u', 'A base', '', '{}', 1, 1 FROM generate_series(1, $1::int) i WHERE $2::int + cardinality($3::text[]) >= 0`,
		`INSERT INTO knowledge_file (id, user_id, knowledge_id, file_id, created_at, updated_at)
		 SELECT DISTINCT ON (knowledge, file) gen_random_uuid()::text, 'u', knowledge, file, 1, 1
		   FROM (SELECT md5((1 + i % $1::int)::text)::uuid::text, ($3::text[])[1 + i % cardinality($3::text[])], 1 + i % cardinality($3::text[])
		           FROM generate_series(1, $2::int) i) pair (knowledge, file, n) WHERE n % 100 > 0`,
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
	costs := map[*world]*sweepCosts{alone: {}, beside: {}}
	for range b.rounds {
		for _, from := range []*world{alone, beside} {
			if err := from.sweepThrice(ctx, costs[from]); err != nil {
				return err
			}
		}
	}
	var rows [][]string
	for i, name := range []string{"first sweep", "second sweep", "third sweep"} {
		for what, of := range []func(*sweepCosts) float64{
			func(c *sweepCosts) float64 { return median(column(c.wall, i)) }, func(c *sweepCosts) float64 { return median(column(c.cpu, i)) },
		} {
			a, c := of(costs[alone]), of(costs[beside])
			rows = append(rows, []string{name + []string{"", ", CPU"}[what], fmt.Sprintf("%.2fs", a), fmt.Sprintf("%.2fs", c), fmt.Sprintf("%.2f", c/a)})
		}
	}
	a, c := costs[alone].peakMB, costs[beside].peakMB
	rows = append(rows, []string{"peak memory", fmt.Sprintf("%.0f MB", a), fmt.Sprintf("%.0f MB", c), fmt.Sprintf("%.2f", c/a)})
	return printTable(fmt.Sprintf("Sweeps of %d files, and beside %d collections, %d of them leftovers, and %d knowledge bases with %d chunks; from start to exit; median of %d rounds",
		files, searches/b.shrink, unused/b.shrink, bases/b.shrink, chunks/b.shrink, b.rounds), []string{"", "files alone", "beside them", "ratio"}, rows)
}

// sweepCosts are what the first, second and third sweep cost, in each round.
type sweepCosts struct {
	wall, cpu [][]float64 // seconds; of the CPU those of the server are among them
	peakMB    float64
}

// sweepThrice sweeps a copy three times.
func (w *world) sweepThrice(ctx context.Context, costs *sweepCosts) error {
	w, err := w.copyWorld(ctx)
	if err != nil {
		return err
	}
	var wall, cpu []float64
	for range 3 {
		before, err := w.serverCPU(ctx)
		if err != nil {
			return err
		}
		s, err := w.runSweep(ctx, "PRUNED_MAX_FRACTION=1")
		if err != nil {
			return err
		}
		after, err := w.serverCPU(ctx)
		if err != nil {
			return err
		}
		wall, cpu = append(wall, s.wall.Seconds()), append(cpu, s.cpu.Seconds()+(after-before).Seconds())
		costs.peakMB = max(costs.peakMB, s.peakMB)
	}
	costs.wall, costs.cpu = append(costs.wall, wall), append(costs.cpu, cpu)
	return w.dropWorld(ctx)
}

func column(rows [][]float64, i int) (values []float64) {
	for _, row := range rows {
		values = append(values, row[i])
	}
	return slices.Clip(values)
}
