package testenv

import (
	"context"
	"fmt"
	"path/filepath"

	"github.com/jackc/pgx/v5"
)

// SeedOptions say how large a world Seed makes.
type SeedOptions struct {
	Files         int           // rows of table file
	Orphans       int           // how many of them nothing points at
	ChunksPerFile int           // 0: no vectors, nor their table
	Vectors       VectorOptions // of that table, which Seed makes, and indexes afterwards
	Chats         int           // at least; 0: as many as the files in chats need
	ChatBytes     int           // text in each chat
	FileBytes     int           // text extracted from each file; 0: a sentence
	UploadDir     string        // where the files' bytes are written; empty: nowhere
}

// Seeded is what Seed made.
type Seeded struct {
	Orphans []string // ids of files that nothing points at
	InUse   []string // ids of all the others
	Chunks  int      // rows of document_chunk

	Knowledge   string   // id of the one knowledge base
	InKnowledge []string // those of InUse that it holds
}

// filesPerChat is how many files a seeded chat mentions, and how many a note
// or a model does.
const filesPerChat = 5

// Seed fills a database of the newest schema with files uploaded long ago. Those
// in use are so in turn through a chat's JSON alone, a chat with a link, a
// knowledge base, a note, a model. The files of the knowledge base have their
// vectors a second time in its collection.
func Seed(ctx context.Context, db DB, o SeedOptions) (*Seeded, error) {
	world, files, err := seedRows(ctx, db, o)
	if err != nil {
		return nil, err
	}
	if o.ChunksPerFile > 0 {
		world.Chunks, err = seedChunks(ctx, db, o, files, world)
		if err != nil {
			return nil, err
		}
	}
	return world, execAll(ctx, db, "gather statistics", []string{"ANALYZE"})
}

// seedRows is Seed without vectors.
func seedRows(ctx context.Context, db copier, o SeedOptions) (world *Seeded, files []File, err error) {
	if o.Orphans > o.Files {
		return nil, nil, fmt.Errorf("seed: %d of %d files cannot be orphans", o.Orphans, o.Files)
	}
	files = make([]File, o.Files)
	for i := range files {
		files[i] = newSeedFile(i, o)
	}
	world = &Seeded{Orphans: ids(files[:o.Orphans]), InUse: ids(files[o.Orphans:])}
	if err := fileTable.copy(ctx, db, generated(len(files), func(i int) []any { return files[i].row() })); err != nil {
		return nil, nil, err
	}
	if err := userTable.copy(ctx, db, pgx.CopyFromRows([][]any{userRow()})); err != nil {
		return nil, nil, err
	}
	if world.Knowledge, world.InKnowledge, err = seedReferences(ctx, db, o, world.InUse); err != nil {
		return nil, nil, err
	}
	if o.UploadDir != "" {
		err = seedBytes(files)
	}
	return world, files, err
}

func newSeedFile(i int, o SeedOptions) File {
	f := File{ID: NewID(), Name: fmt.Sprintf("document-%d.pdf", i), Text: randomText(o.FileBytes)}
	if o.UploadDir != "" {
		f.Path = filepath.Join(o.UploadDir, StoredName(f.ID, f.Name))
	}
	return f.complete()
}

func ids(files []File) []string {
	list := make([]string, len(files))
	for i, f := range files {
		list[i] = f.ID
	}
	return list
}

func seedBytes(files []File) error {
	for _, f := range files {
		if err := writeBytes(f.Path); err != nil {
			return fmt.Errorf("write the bytes of file %s: %w", f.ID, err)
		}
	}
	return nil
}

// seedChunks loads first and indexes afterwards, which is many times quicker
// and how the application's vector index comes about too.
func seedChunks(ctx context.Context, db DB, o SeedOptions, files []File, world *Seeded) (int, error) {
	if err := createChunkTable(ctx, db, o.Vectors); err != nil {
		return 0, err
	}
	hash := make(map[string]string, len(files))
	var owners []chunkOwner
	for _, f := range files {
		hash[f.ID] = f.Hash
		owners = append(owners, chunkOwner{FileCollection(f.ID), f.ID, f.Hash})
	}
	for _, id := range world.InKnowledge {
		owners = append(owners, chunkOwner{world.Knowledge, id, hash[id]})
	}
	made, err := insertChunks(ctx, db, o.Vectors, owners, o.ChunksPerFile)
	if err != nil {
		return 0, err
	}
	return len(made), indexChunks(ctx, db, o.Vectors)
}
