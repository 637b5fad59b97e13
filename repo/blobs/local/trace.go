package local

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"

	"pruned/repo/trace"
)

const traceStore = "uploads"

var _ trace.Searcher = (*Store)(nil)

// Trace searches the names of everything in the folder, and in the folders directly in
// it; of the bytes it reads none.
func (s *Store) Trace(ctx context.Context, search *trace.Search) error {
	root, err := s.currentRoot()
	if err != nil {
		return err
	}
	if err := traceNames(ctx, search, root, "."); err != nil {
		return err
	}
	search.NoteSearched(traceStore, "names")
	return nil
}

func traceNames(ctx context.Context, search *trace.Search, root *os.Root, name string) error {
	folder, err := root.Open(name)
	if err != nil {
		return fmt.Errorf("read the upload folder: %w", err)
	}
	defer folder.Close()
	for seen := int64(0); ; {
		entries, err := folder.ReadDir(1024)
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err = errors.Join(err, ctx.Err()); err != nil {
			return fmt.Errorf("read the upload folder: %w", err)
		}
		for _, entry := range entries {
			place := trace.Place{Store: traceStore, Table: name, Row: path.Join(name, entry.Name()), Column: "name", Count: search.Count([]byte(entry.Name()))}
			if err := search.AddCount(place); err != nil {
				return err
			}
			if name == "." && entry.IsDir() {
				traceFolder(ctx, search, root, entry)
			}
		}
		seen += int64(len(entries))
		search.Progress(traceStore+" "+name, seen, 0)
	}
}

// traceFolder notes a folder that cannot be read as such: the others are searched.
func traceFolder(ctx context.Context, search *trace.Search, root *os.Root, entry fs.DirEntry) {
	if err := traceNames(ctx, search, root, entry.Name()); err != nil {
		search.NoteGap(traceStore, entry.Name(), err)
	}
}
