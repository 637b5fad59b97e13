// Package local keeps the bytes of files in a folder (STORAGE_PROVIDER=local).
//
// Its central idea is that the store is one flat folder. Nothing outside of it can
// be named, so nothing outside of it can be removed. It knows nothing of rows.
package local

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"iter"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"time"
	"unicode/utf8"

	"pruned/repo"
	"pruned/repo/fileinfo"
	"pruned/repo/mention"
	"pruned/repo/openwebui"
)

// Store is a folder of uploads.
type Store struct {
	dir string
	age fileinfo.Age

	mu   sync.Mutex
	root *os.Root // what the path led to when it was last looked at
}

var _ repo.Blobs = (*Store)(nil)

// Open opens the upload folder.
func Open(dir string) (*Store, error) {
	root, err := os.OpenRoot(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("the upload folder %s does not exist: DATA_DIR must be Open WebUI's", dir)
	}
	if err != nil {
		return nil, fmt.Errorf("open the upload folder: %w", err)
	}
	return &Store{dir: dir, root: root, age: fileinfo.TouchedAge}, nil
}

// ByModification has only the times of modification count (fileinfo.ModifiedAge). It
// returns the folder.
func (s *Store) ByModification() *Store {
	s.age = fileinfo.ModifiedAge
	return s
}

// Info says that it lies in a folder alone.
func (s *Store) Info() repo.StoreInfo { return repo.StoreInfo{Name: "uploads", Folder: s.dir} }

// NameOf is the last part of a path, whatever folder that names.
func (s *Store) NameOf(path string) string { return openwebui.BaseName(path) }

// Close closes the folder.
func (s *Store) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.root.Close()
}

// Check says whether the folder can be read and written.
func (s *Store) Check(context.Context) error {
	root, err := s.currentRoot()
	if err != nil {
		return err
	}
	folder, err := root.Open(".")
	if err != nil {
		return fmt.Errorf("read the upload folder: %w", err)
	}
	defer folder.Close()
	if _, err := folder.ReadDir(1); err != nil && !errors.Is(err, io.EOF) {
		return fmt.Errorf("read the upload folder: %w", err)
	}
	return checkWrite(root)
}

func checkWrite(root *os.Root) error {
	name := ".pruned-check-" + rand.Text()
	probe, err := root.Create(name)
	if err != nil {
		return fmt.Errorf("the upload folder cannot be written by this user: %w", err)
	}
	return errors.Join(probe.Close(), root.Remove(name))
}

// Find reads the folder once, whatever the number of ids.
func (s *Store) Find(ctx context.Context, ids []string) (map[string][]repo.Blob, error) {
	wanted := map[string]bool{}
	for _, id := range ids {
		if mention.IsUUID(mention.Token(id)) {
			wanted[id] = true
		}
	}
	found := map[string][]repo.Blob{}
	if len(wanted) == 0 {
		return found, nil
	}
	root, err := s.currentRoot()
	if err != nil {
		return nil, err
	}
	err = walkObjects(ctx, root, func(id, name string) error {
		if !wanted[id] {
			return nil
		}
		blob, there, err := s.describeObject(root, name)
		if there {
			found[id] = append(found[id], blob)
		}
		return err
	})
	return found, err
}

// List reads the folder once.
func (s *Store) List(ctx context.Context) iter.Seq2[repo.Listed, error] {
	return func(yield func(repo.Listed, error) bool) {
		root, err := s.currentRoot()
		if err == nil {
			err = walkObjects(ctx, root, func(id, name string) error {
				blob, there, err := s.describeObject(root, name)
				if there && !yield(repo.Listed{FileID: id, Name: blob.Name, Size: blob.Size, Allocated: blob.Allocated, Age: blob.Age}, nil) {
					return errStop
				}
				return err
			})
		}
		if err != nil && !errors.Is(err, errStop) {
			yield(repo.Listed{}, err)
		}
	}
}

// errStop ends a walk that nobody wants to the end.
var errStop = errors.New("stop")

// walkObjects calls each with the names in the folder that begin with an id, until that returns
// an error. It reads the folder in pieces, and looks at no file. A name that is no UTF-8
// is not the application's, and no tombstone can hold it.
func walkObjects(ctx context.Context, root *os.Root, each func(id, name string) error) error {
	folder, err := root.Open(".")
	if err != nil {
		return fmt.Errorf("read the upload folder: %w", err)
	}
	defer folder.Close()
	for {
		names, err := folder.Readdirnames(1024)
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err == nil {
			err = ctx.Err()
		}
		if err != nil {
			return fmt.Errorf("read the upload folder: %w", err)
		}
		for _, name := range names {
			id := openwebui.ObjectFile(name)
			if id == "" || !utf8.ValidString(name) {
				continue
			}
			if err := each(id, name); err != nil {
				return err
			}
		}
	}
}

// describeObject looks at what has a name: a plain file, if there still is one.
func (s *Store) describeObject(root *os.Root, name string) (blob repo.Blob, there bool, err error) {
	info, err := root.Lstat(name)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return blob, false, nil
	case err != nil:
		return blob, false, fmt.Errorf("look at upload %q: %w", name, err)
	case !info.Mode().IsRegular():
		return blob, false, nil
	}
	return s.describeFile(info), true, nil
}

func (s *Store) describeFile(info fs.FileInfo) repo.Blob {
	return repo.Blob{Name: info.Name(), Size: info.Size(), Allocated: fileinfo.AllocatedBytes(info), Age: s.age(time.Now(), info)}
}

// Stat looks at a plain file that lies directly in the folder.
func (s *Store) Stat(_ context.Context, name string) (blob repo.Blob, there bool, err error) {
	_, info, err := s.lookAt(name)
	if err != nil || info == nil || !info.Mode().IsRegular() {
		return blob, false, err
	}
	return s.describeFile(info), true, nil
}

// Open opens a plain file that lies directly in the folder. What a link leads to is not that
// file, and what was put in its place between the two looks is not either.
func (s *Store) Open(_ context.Context, name string) (io.ReadCloser, error) {
	root, info, err := s.lookAt(name)
	if err != nil || info == nil || !info.Mode().IsRegular() {
		return nil, err
	}
	file, err := root.OpenFile(name, os.O_RDONLY|syscall.O_NONBLOCK, 0) // which waits for no writer of a pipe
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("open upload %q: %w", name, err)
	}
	opened, err := file.Stat()
	if err != nil || !os.SameFile(info, opened) {
		return nil, errors.Join(err, file.Close())
	}
	return file, nil
}

// lookAt returns the folder, and no info where there is nothing of that name in it.
func (s *Store) lookAt(name string) (root *os.Root, info fs.FileInfo, err error) {
	if name == "." || !filepath.IsLocal(name) || filepath.Base(name) != name || strings.ContainsRune(name, 0) {
		return nil, nil, fmt.Errorf("%w: %q", repo.ErrOutside, name)
	}
	if root, err = s.currentRoot(); err != nil {
		return nil, nil, err
	}
	info, err = root.Lstat(name)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return root, nil, nil
	case errors.Is(err, syscall.ENAMETOOLONG):
		return nil, nil, fmt.Errorf("%w: %q", repo.ErrOutside, name)
	case err != nil:
		return nil, nil, fmt.Errorf("look at upload %q: %w", name, err)
	}
	return root, info, nil
}

// Remove removes plain files that lie directly in the folder.
func (s *Store) Remove(_ context.Context, names []string) (failed map[string]error, err error) {
	failed = map[string]error{}
	for _, name := range names {
		err := s.removeFile(name)
		if repo.KindOf(err) == repo.Environment {
			return failed, err
		}
		if err != nil {
			failed[name] = err
		}
	}
	return failed, nil
}

func (s *Store) removeFile(name string) error {
	root, info, err := s.lookAt(name)
	switch {
	case err != nil || info == nil:
		return err
	case !info.Mode().IsRegular():
		return fmt.Errorf("%w: %q is no plain file", repo.ErrOutside, name)
	}
	if err := root.Remove(name); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("remove upload %q: %w", name, err)
	}
	return nil
}
