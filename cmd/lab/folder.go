package main

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"path/filepath"
	"slices"

	"pruned/repo/testenv"
)

// folder is the installation of most: SQLite, embedded Chroma and uploads in the
// data folder, and nothing to set.
type folder struct {
	*installation
	form chunkForm
}

const (
	wordsOfAChunk = 170 // make the usual thousand characters
	fewWords      = 12  // are quicker to check again and again
)

// folderSeed says what a folder holds.
type folderSeed struct {
	testenv.SeedOptions
	words       int // of a chunk
	sharedEvery int // so many orphans are one in the knowledge base as well, as after its removal from there; 0: none is
	leftovers   leftovers
}

// seedFolder makes one.
func (l *lab) seedFolder(ctx context.Context, o folderSeed) (*folder, error) {
	i, err := l.makeInstallation()
	if err != nil {
		return nil, err
	}
	i.leftovers = o.leftovers
	f := &folder{i, chunkForm{perFile: o.ChunksPerFile, dim: o.Vectors.Dim, words: o.words}}
	o.UploadDir = f.uploads()
	if f.Seeded, err = testenv.SeedSQLite(ctx, f.webui(), o.SeedOptions); err != nil {
		return nil, err
	}
	if err := f.useLeftovers(ctx); err != nil {
		return nil, err
	}
	shared := f.InKnowledge
	for n := 0; o.sharedEvery > 0 && n < len(f.Orphans); n += o.sharedEvery {
		shared = append(shared, f.Orphans[n])
	}
	collections := o.leftovers.searches()
	for _, id := range slices.Concat(f.Orphans, f.InUse) {
		collections = append(collections, testenv.FileCollection(id))
	}
	return f, makeChroma(ctx, f.vectors(), f.form, collections, func(c *chroma) error {
		return errors.Join(c.insertChunks(f.Knowledge, f.form, shared...), c.insertPoints(memoryCollection, f.form, o.leftovers.memories()))
	})
}

func (f *folder) webui() string   { return filepath.Join(f.dir, "webui.db") }
func (f *folder) vectors() string { return filepath.Join(f.dir, "vector_db") }
func (f *folder) chroma() string  { return filepath.Join(f.vectors(), "chroma.sqlite3") }

// withSQLite opens one of the two databases, as the application does.
func withSQLite(path string, fn func(*sql.DB) error) error {
	journal := map[string]string{"webui.db": "wal", "chroma.sqlite3": "delete"}[filepath.Base(path)]
	db, err := testenv.OpenSQLite(path, journal)
	if err != nil {
		return err
	}
	return errors.Join(fn(db), db.Close())
}

// queryRow answers a query with one row.
func queryRow(ctx context.Context, path, query string, args []any, dest ...any) error {
	return withSQLite(path, func(db *sql.DB) error {
		if err := db.QueryRowContext(ctx, query, args...).Scan(dest...); err != nil {
			return fmt.Errorf("%s: %s: %w", filepath.Base(path), query, err)
		}
		return nil
	})
}

func execSQLite(ctx context.Context, path, statement string, args ...any) error {
	return withSQLite(path, func(db *sql.DB) error {
		if _, err := db.ExecContext(ctx, statement, args...); err != nil {
			return fmt.Errorf("%s: %s: %w", filepath.Base(path), statement, err)
		}
		return nil
	})
}

// encodeIDs is ids as one parameter, for json_each.
func encodeIDs(ids []string) []any {
	text, err := json.Marshal(append([]string{}, ids...)) // none are [], not null
	if err != nil {
		panic(err) // strings always can be
	}
	return []any{string(text)}
}
