package demo

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"time"

	"github.com/google/uuid"

	"pruned/consumer/event"
)

// File is one that was made.
type File struct {
	ID   string
	Kind *Kind
	name string // of the bytes; empty where there are none
}

// Kind is how files came to be as they are.
type Kind struct {
	What  string
	Fate  event.Outcome // what must become of them
	Files int

	age     time.Duration // since it was uploaded
	status  string        // of its processing
	mention func(*rowWriter, File) error
	noRow   bool
	noBytes bool
	noChunk bool
}

// World is a scratch installation.
type World struct {
	Dir   string
	Kinds []*Kind
	Files []File
}

// old is older than any age that a file must have.
const old = 30 * 24 * time.Hour

// allKinds lists what happens to files, in numbers that make a small installation.
func allKinds() []*Kind {
	return []*Kind{
		{What: "attached to a chat", Fate: event.Kept, Files: 150, mention: (*rowWriter).attachToChat},
		{What: "only in the text of a chat", Fate: event.Kept, Files: 60, mention: (*rowWriter).mentionInAnswer},
		{What: "in a knowledge base", Fate: event.Kept, Files: 120, mention: (*rowWriter).addToKnowledge},
		{What: "in a note", Fate: event.Kept, Files: 40, mention: (*rowWriter).attachToNote},
		{What: "in a folder", Fate: event.Kept, Files: 30, mention: (*rowWriter).addToFolder},
		{What: "sent to a channel", Fate: event.Kept, Files: 30, mention: (*rowWriter).sendToChannel},
		{What: "a model's picture", Fate: event.Kept, Files: 10, mention: (*rowWriter).setModelImage, noChunk: true},
		{What: "uploaded a minute ago, not sent yet", Fate: event.Young, Files: 10, age: time.Minute},
		{What: "still being processed", Fate: event.Young, Files: 10, status: "processing", age: time.Minute},
		{What: "its chat was deleted", Fate: event.Deleted, Files: 150, mention: (*rowWriter).leaveChatLink},
		{What: "its knowledge base was deleted", Fate: event.Deleted, Files: 100, mention: (*rowWriter).leaveKnowledgeLink},
		{What: "taken out of the composer", Fate: event.Deleted, Files: 60},
		{What: "processing failed, sent to nobody", Fate: event.Deleted, Files: 10, status: "failed", noChunk: true},
		{What: "bytes whose row is gone", Fate: event.Gone, Files: 20, noRow: true, noChunk: true},
		{What: "vectors whose row is gone", Fate: event.Gone, Files: 20, noRow: true, noBytes: true},
	}
}

// Make makes a scratch installation in an empty folder: whole, or only one in so
// many files of each kind.
func Make(ctx context.Context, dir string, part int) (w *World, err error) {
	w = &World{Dir: dir, Kinds: allKinds()}
	for _, kind := range w.Kinds {
		kind.Files = max(kind.Files/part, 1)
	}
	for _, sub := range []string{w.uploadDir(), w.vectorDir()} {
		if err := os.MkdirAll(sub, 0o700); err != nil {
			return nil, err
		}
	}
	chunks, err := newChroma(ctx, w.chromaPath())
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, chunks.commitAndClose()) }()
	rows, err := newRowWriter(ctx, w.databasePath(), chunks)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, rows.commitAndClose()) }()
	for _, kind := range w.Kinds {
		for range kind.Files {
			if err := w.makeFile(kind, rows); err != nil {
				return nil, err
			}
		}
	}
	return w, nil
}

func (w *World) uploadDir() string    { return filepath.Join(w.Dir, "uploads") }
func (w *World) vectorDir() string    { return filepath.Join(w.Dir, "vector_db") }
func (w *World) databasePath() string { return filepath.Join(w.Dir, "webui.db") }
func (w *World) chromaPath() string   { return filepath.Join(w.vectorDir(), "chroma.sqlite3") }

// makeFile makes one file, in the order in which the application does: bytes, row,
// vectors, and then whatever mentions it.
func (w *World) makeFile(kind *Kind, rows *rowWriter) error {
	f := File{ID: uuid.NewString(), Kind: kind}
	if !kind.noBytes {
		f.name = f.ID + "_report.txt"
		content := "The report of file " + f.ID + ".\n"
		if err := w.writeBytes(f, content); err != nil {
			return err
		}
	}
	if !kind.noRow {
		if err := rows.writeFile(f, filepath.Join(w.uploadDir(), f.name)); err != nil {
			return err
		}
	}
	if !kind.noChunk {
		if err := rows.chunks.addChunks("file-"+f.ID, f.ID, chunksPerFile); err != nil {
			return err
		}
	}
	if kind.mention != nil {
		if err := kind.mention(rows, f); err != nil {
			return err
		}
	}
	w.Files = append(w.Files, f)
	return nil
}

// writeBytes writes the bytes, as old as their row.
func (w *World) writeBytes(f File, content string) error {
	path := filepath.Join(w.uploadDir(), f.name)
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		return err
	}
	made := time.Now().Add(-f.Kind.uploadedAgo())
	return os.Chtimes(path, made, made)
}

// uploadedAgo is how long ago its files were uploaded.
func (k *Kind) uploadedAgo() time.Duration {
	if k.age == 0 {
		return old
	}
	return k.age
}

// IsOrphan says whether files of this kind must go.
func (k *Kind) IsOrphan() bool { return k.Fate == event.Deleted || k.Fate == event.Gone }
