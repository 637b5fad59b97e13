package main

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"

	"pruned/repo/testenv"
)

type peakCmd struct {
	Vectors string  `enum:"own,pgvector,milvus,weaviate,opensearch,mariadb" default:"own" help:"Where the vectors are: own (in the database of the rows), pgvector (in another), milvus, weaviate, opensearch or mariadb."`
	Bytes   string  `enum:"folder,s3,gcs,azure" default:"folder" help:"Where the bytes are: folder, s3, gcs or azure."`
	Files   int     `default:"10000" help:"Files that nothing uses, of ten chunks each."`
	Limit   float64 `default:"120" help:"MB that the program may take."`
}

// inUseBeside are the files beside them that stay.
const inUseBeside = 100

// Run drains events about files until rows, vectors and bytes are gone, and fails where the
// program's largest resident set was larger than it may be.
func (c *peakCmd) Run(ctx context.Context, l *lab) error {
	w, err := c.seedStores(ctx, l)
	if err != nil {
		return err
	}
	if _, err := w.drainQueue(ctx); err != nil { // the index is built at the first start
		return err
	}
	if err := w.bindServers(ctx); err != nil {
		return err
	}
	stays, err := w.countHeld(ctx, w.InUse)
	if err != nil {
		return err
	}
	if err := w.publishEvents(ctx, w.shuffledIDs()); err != nil {
		return err
	}
	r, err := w.drainAll(ctx)
	if err != nil {
		return err
	}
	if err := c.checkRemoved(ctx, w, stays); err != nil {
		return err
	}
	fmt.Printf("%d files of 10 chunks, vectors: %s, bytes: %s: removed in %.1f s (%.0f files/s, %.1f s of the program's CPU), peak memory %.0f MB\n",
		c.Files, c.Vectors, c.Bytes, r.wall.Seconds(), float64(c.Files)/r.wall.Seconds(), r.cpu.Seconds(), r.peakMB)
	if r.peakMB > c.Limit {
		return fmt.Errorf("the program took %.0f MB, and may take %.0f", r.peakMB, c.Limit)
	}
	return nil
}

func (c *peakCmd) seedStores(ctx context.Context, l *lab) (*world, error) {
	w, err := l.seedWorld(ctx, testenv.SeedOptions{
		Files: c.Files + inUseBeside, Orphans: c.Files, ChunksPerFile: 10, Vectors: testenv.VectorOptions{Dim: 3},
	}, true)
	if err == nil && (c.Vectors == "weaviate" || c.Vectors == "opensearch") {
		err = w.gatherChunks(ctx)
	}
	if err == nil && c.Vectors != "own" {
		err = w.moveVectors(ctx, c.Vectors)
	}
	if err == nil && c.Bytes != "folder" {
		err = w.moveBytes(ctx, c.Bytes)
	}
	return w, err
}

// gatherChunks puts the chunks of the files' own collections into ten knowledge bases: a
// server that has a collection for each takes hours to make thousands.
func (w *world) gatherChunks(ctx context.Context) error {
	var bases []string
	for range 10 {
		bases = append(bases, testenv.NewID())
	}
	return w.withConn(ctx, func(conn *pgx.Conn) error {
		_, err := conn.Exec(ctx, `UPDATE document_chunk SET collection_name = ($1::text[])[1 + abs(hashtext(collection_name) % 10)] WHERE collection_name LIKE 'file-%'`, bases)
		return err
	})
}

// checkRemoved checks that nothing is left of what nothing uses, and of the rest everything.
func (c *peakCmd) checkRemoved(ctx context.Context, w *world, stays held) error {
	left, err := w.countHeld(ctx, w.Orphans)
	if err == nil && left != (held{}) {
		err = fmt.Errorf("of %d orphans are left %s", len(w.Orphans), left)
	}
	if err != nil {
		return err
	}
	now, err := w.countHeld(ctx, w.InUse)
	if err == nil && now != stays {
		err = fmt.Errorf("%d files in use have %s, and had %s", len(w.InUse), now, stays)
	}
	if err != nil {
		return err
	}
	names, err := w.objectNames(ctx)
	if want := inUseBeside * int(w.bytesPlaces()); err == nil && len(names) != want {
		err = fmt.Errorf("%d objects are left of %d", len(names), want)
	}
	return err
}
