package testenv

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// File is a row of table file; what is zero is filled in by InsertFile.
type File struct {
	ID        string
	UserID    string
	Name      string
	Path      string // where its bytes are
	Hash      string // of its text
	Status    string // in data; "none" leaves it out
	Text      string // what was extracted from it, in data
	CreatedAt time.Time
	UpdatedAt time.Time
	Meta      map[string]any // beside what every file's meta holds
}

var fileTable = table{"file", []string{
	"id", "user_id", "filename", "path", "hash", "data", "meta", "created_at", "updated_at",
}}

// InsertFile inserts a file that was uploaded long ago and processed.
func InsertFile(t testing.TB, db DB, f File) File {
	t.Helper()
	f = f.complete()
	fileTable.insert(t, db, f.row())
	return f
}

// NewFile is InsertFile for tests that need nothing but the id.
func NewFile(t testing.TB, db DB) string {
	t.Helper()
	return InsertFile(t, db, File{}).ID
}

func (f File) complete() File {
	f.ID = orDefault(f.ID, NewID())
	f.UserID = orDefault(f.UserID, UserID)
	f.Name = orDefault(f.Name, "document.pdf")
	f.Path = orDefault(f.Path, "/app/backend/data/uploads/"+StoredName(f.ID, f.Name))
	f.Status = orDefault(f.Status, "completed")
	f.Text = orDefault(f.Text, "What the file "+f.Name+" says.")
	f.CreatedAt = orLongAgo(f.CreatedAt)
	if f.UpdatedAt.IsZero() {
		f.UpdatedAt = f.CreatedAt
	}
	if f.Hash == "" {
		hash := sha256.Sum256([]byte("text of " + f.ID))
		f.Hash = hex.EncodeToString(hash[:])
	}
	return f
}

func (f File) row() []any {
	data := object{"status": f.Status, "content": f.Text}
	if f.Status == "none" {
		delete(data, "status")
	}
	meta := object{
		"name": f.Name, "content_type": "application/pdf", "size": storedSize,
		"file_hash": f.Hash, "collection_name": FileCollection(f.ID), "data": object{},
	}
	for key, value := range f.Meta {
		meta[key] = value
	}
	return []any{f.ID, f.UserID, f.Name, f.Path, f.Hash, data, meta, f.CreatedAt.Unix(), f.UpdatedAt.Unix()}
}

// storedSize is what the bytes of a fixture's file take.
const storedSize = 256

// StoredName is the name that the application stores a file's bytes under.
func StoredName(id, name string) string { return id + "_" + name }

// WriteBytes stores bytes for a file in an upload folder and returns their path.
func WriteBytes(t testing.TB, dir, id, name string) string {
	t.Helper()
	path := filepath.Join(dir, StoredName(id, name))
	if err := writeBytes(path); err != nil {
		t.Fatal(err)
	}
	return path
}

func writeBytes(path string) error {
	content := make([]byte, storedSize)
	_, _ = rand.Read(content) // never fails
	return os.WriteFile(path, content, 0o644)
}
