package main

import (
	"context"
	"errors"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"

	"pruned/repo/testenv"
)

// vectorServer is a server of its own that keeps the vectors of one world.
type vectorServer interface {
	// settings are those that say which it is, and where.
	settings() []string
	// storeName is what the program calls it.
	storeName(ctx context.Context) (string, error)
	insert(ctx context.Context, chunks []chunk) error
	list(ctx context.Context) ([]chunk, error)
	end() error
}

// chunk is one of them, with its collection of the application's.
type chunk struct {
	id, collection string
	metadata       map[string]any
}

func (c chunk) file() string {
	file, _ := c.metadata["file_id"].(string)
	return file
}

var vectorServers = map[string]func(context.Context, *lab) (vectorServer, error){
	"pgvector": runPGVector, "chroma": runChroma, "milvus": runMilvus, "weaviate": runWeaviate, "opensearch": runOpenSearch, "mariadb": runMariaDB,
}

// moveVectors puts the vectors of a world into a server of its own.
func (w *world) moveVectors(ctx context.Context, store string) (err error) {
	if w.vectors, err = vectorServers[store](ctx, w.lab); err != nil {
		return err
	}
	w.ends = append(w.ends, w.vectors.end)
	w.stores = append(w.stores, w.vectors.settings()...)
	return w.withConn(ctx, func(conn *pgx.Conn) error {
		chunks, err := readChunks(ctx, conn)
		if err == nil {
			err = w.vectors.insert(ctx, chunks)
		}
		if err == nil {
			_, err = conn.Exec(ctx, `TRUNCATE document_chunk`)
		}
		return err
	})
}

// countChunks adds what the server holds of files.
func (w *world) countChunks(ctx context.Context, ids []string, h *held) error {
	if w.vectors == nil {
		return nil
	}
	chunks, err := w.vectors.list(ctx)
	asked := setOf(ids)
	for _, c := range chunks {
		switch {
		case !asked[c.file()]:
		case c.collection == testenv.FileCollection(c.file()):
			h.chunks++
		default:
			h.shared++
		}
	}
	return err
}

// countLeftoverChunks adds what the server holds beside files.
func (w *world) countLeftoverChunks(ctx context.Context, count *leftoverCount) error {
	if w.vectors == nil {
		return nil
	}
	chunks, err := w.vectors.list(ctx)
	unused := setOf(slices.Concat(w.leftovers.searches()[:w.leftovers], w.leftovers.memories()[:w.leftovers]))
	for _, c := range chunks {
		switch {
		case c.collection == memoryCollection && unused[c.id]:
			count.unusedMemories++
		case c.collection == memoryCollection:
			count.memories++
		case unused[c.collection]:
			count.unusedSearches++
		case strings.HasPrefix(c.collection, searchPrefix):
			count.searches++
		}
	}
	return err
}

// countTorn counts the collections of which the server has some chunks, and not all: none in
// the database, where they go in the transaction.
func (w *world) countTorn(ctx context.Context) (n int64, err error) {
	if w.vectors == nil {
		return 0, nil
	}
	chunks, err := w.vectors.list(ctx)
	counts := map[string]int{}
	for _, c := range chunks {
		if c.collection == testenv.FileCollection(c.file()) {
			counts[c.collection]++
		}
	}
	for _, some := range counts {
		if some < chunksPerFile {
			n++
		}
	}
	return n, err
}

func setOf(list []string) map[string]bool {
	set := make(map[string]bool, len(list))
	for _, one := range list {
		set[one] = true
	}
	return set
}

// bindServers says of the servers of vectors and bytes that they are this installation's, as
// a person does who confirms a sweep: that would let everything go at once.
func (w *world) bindServers(ctx context.Context) error {
	var names []string
	if w.vectors != nil {
		name, err := w.vectors.storeName(ctx)
		if err != nil {
			return err
		}
		names = append(names, name)
	}
	if w.bucket != nil {
		name, err := w.bucketName(ctx)
		if err != nil {
			return err
		}
		names = append(names, name)
	}
	return w.withConn(ctx, func(conn *pgx.Conn) error {
		bound, err := conn.Exec(ctx, `INSERT INTO pruned.binding (store, identity, accepted) SELECT unnest($1::text[]), identity, '' FROM pruned.place`, names)
		if err == nil && int(bound.RowsAffected()) != len(names) {
			err = errors.New("the database has no identity yet")
		}
		return err
	})
}
