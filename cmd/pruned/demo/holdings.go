package demo

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"strings"
)

// Holdings are what an installation holds, each list sorted.
type Holdings struct {
	Rows        []string // ids of files
	Bytes       []string // names
	Collections []string // names
	Chunks      int
	Size        int64 // of the bytes
}

// Holdings looks into the installation.
func (w *World) Holdings(ctx context.Context) (h Holdings, err error) {
	if h.Rows, err = readColumn(ctx, w.databasePath(), `SELECT id FROM file`); err != nil {
		return h, err
	}
	if h.Collections, err = readColumn(ctx, w.chromaPath(), `SELECT name FROM collections`); err != nil {
		return h, err
	}
	chunks, err := readColumn(ctx, w.chromaPath(), `SELECT e.id FROM embeddings e JOIN embedding_fulltext_search t ON t.rowid = e.id`)
	if err != nil {
		return h, err
	}
	h.Chunks = len(chunks)
	entries, err := os.ReadDir(w.uploadDir())
	if err != nil {
		return h, err
	}
	for _, entry := range entries {
		if strings.HasPrefix(entry.Name(), ".") {
			continue // the mark that pruned leaves
		}
		info, err := entry.Info()
		if errors.Is(err, fs.ErrNotExist) {
			continue // removed just now
		}
		if err != nil {
			return h, err
		}
		h.Bytes, h.Size = append(h.Bytes, entry.Name()), h.Size+info.Size()
	}
	return h, nil
}

// readColumn reads one column of text, sorted.
func readColumn(ctx context.Context, path, query string) (values []string, err error) {
	db, err := sql.Open("sqlite", "file:"+path+"?mode=ro&_pragma=busy_timeout(10000)")
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	rows, err := db.QueryContext(ctx, query)
	if err != nil {
		return nil, fmt.Errorf("look into %s: %w", path, err)
	}
	defer func() { _ = rows.Close() }() // rows.Err tells
	for rows.Next() {
		var value string
		if err := rows.Scan(&value); err != nil {
			return nil, err
		}
		values = append(values, value)
	}
	slices.Sort(values)
	return values, rows.Err()
}

// Verify compares what is left with what must be left: what was kept, with
// everything that belonged to it, and nothing else. before is what there was.
func (w *World) Verify(before, after Holdings) error {
	gone := map[string]bool{}
	chunks := before.Chunks
	for _, f := range w.Files {
		if f.Kind.IsOrphan() {
			gone[f.ID] = true
			if !f.Kind.noChunk {
				chunks -= chunksPerFile
			}
		}
	}
	stays := func(id string) bool { return !gone[id] }
	wanted := Holdings{
		Rows:        keepValues(before.Rows, stays),
		Bytes:       keepValues(before.Bytes, func(name string) bool { id, _, _ := strings.Cut(name, "_"); return stays(id) }),
		Collections: keepValues(before.Collections, func(name string) bool { return stays(strings.TrimPrefix(name, "file-")) }),
	}
	return errors.Join(
		compareLists("rows of table file", wanted.Rows, after.Rows),
		compareLists("files of bytes", wanted.Bytes, after.Bytes),
		compareLists("collections of vectors", wanted.Collections, after.Collections),
		compareCounts("vectors", chunks, after.Chunks))
}

func keepValues(values []string, keep func(string) bool) []string {
	return slices.DeleteFunc(slices.Clone(values), func(v string) bool { return !keep(v) })
}

func compareLists(what string, want, got []string) error {
	if slices.Equal(want, got) {
		return nil
	}
	return fmt.Errorf("%d %s are left, wanted %d others", len(got), what, len(want))
}

func compareCounts(what string, want, got int) error {
	if want == got {
		return nil
	}
	return fmt.Errorf("%d %s are left, wanted %d", got, what, want)
}
