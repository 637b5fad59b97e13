package cache

import (
	"context"
	"errors"
	"fmt"
	"hash/maphash"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"pruned/repo"
	"pruned/repo/fileinfo"
)

// walk is one way through the folders.
type walk struct {
	ctx    context.Context
	age    fileinfo.Age
	limit  time.Duration
	remove func(*os.Root, string) error // nil: nothing is removed

	found repo.CacheFiles
}

// walkPath walks the folder that the names lead to, each within the one before.
func (w *walk) walkPath(parent *os.Root, path string, names []string) {
	if len(names) == 0 {
		w.walkFolder(parent, path)
		return
	}
	path = filepath.Join(path, names[0])
	root, err := openFolder(parent, names[0])
	if err != nil {
		w.noteFailure("open", path, err)
		return
	}
	defer root.Close()
	w.walkPath(root, path, names[1:])
}

// walkFolder removes what is old in a folder, and then below it. Sound goes before what
// lies beside it: the application takes sound that is there for complete, and fails where
// the rest of it is missing.
func (w *walk) walkFolder(root *os.Root, path string) {
	kept := newStems()
	folders, err := w.findYoung(root, path, kept)
	for _, beside := range []bool{false, true} {
		if err == nil {
			err = w.eachEntry(root, func(entry fs.DirEntry) {
				if entry.Type().IsRegular() && isBeside(entry.Name()) == beside && !kept.hasStem(entry.Name()) {
					w.removeFile(root, path, entry.Name(), kept)
				}
			})
		}
	}
	if err != nil {
		w.noteFailure("read", path, err)
		return
	}
	for _, name := range folders {
		w.walkPath(root, path, []string{name})
	}
}

// findYoung gathers the names of what has to stay, and lists the folders.
func (w *walk) findYoung(root *os.Root, path string, kept *stems) (folders []string, err error) {
	err = w.eachEntry(root, func(entry fs.DirEntry) {
		switch {
		case entry.IsDir():
			folders = append(folders, entry.Name())
		case entry.Type().IsRegular():
			if _, err := w.lookAt(root, entry.Name()); err != nil {
				kept.addStem(entry.Name())
				w.noteFailure("look at", filepath.Join(path, entry.Name()), err)
			}
		}
	})
	return folders, err
}

// errYoung is of a file that was touched lately, or is a plain file no more.
var errYoung = errors.New("it is not old")

// lookAt looks at a file, which is errYoung where it has to stay.
func (w *walk) lookAt(root *os.Root, name string) (fs.FileInfo, error) {
	info, err := root.Lstat(name)
	if err == nil && (!info.Mode().IsRegular() || w.age(time.Now(), info) < w.limit) {
		err = errYoung
	}
	return info, err
}

// removeFile looks again: what was written anew in between stays.
func (w *walk) removeFile(root *os.Root, path, name string, kept *stems) {
	info, err := w.lookAt(root, name)
	if err == nil && w.remove != nil {
		err = w.remove(root, name)
	}
	if err != nil {
		kept.addStem(name)
		w.noteFailure("remove", filepath.Join(path, name), err)
		return
	}
	w.found.Files++
	w.found.Bytes += fileinfo.AllocatedBytes(info)
}

// noteFailure counts what went wrong. What vanished, or is young, did not.
func (w *walk) noteFailure(doing, path string, err error) {
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, errYoung) || w.ctx.Err() != nil {
		return
	}
	w.found.Failed++
	if w.found.Failure == "" {
		w.found.Failure = fmt.Sprintf("%s %s: %v", doing, path, err)
	}
}

// eachEntry reads a folder in pieces, but for hidden names.
func (w *walk) eachEntry(root *os.Root, each func(fs.DirEntry)) error {
	folder, err := root.Open(".")
	if err != nil {
		return err
	}
	defer folder.Close()
	for {
		entries, err := folder.ReadDir(1024)
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err == nil {
			err = w.ctx.Err()
		}
		if err != nil {
			return err
		}
		for _, entry := range entries {
			if !isHidden(entry) {
				each(entry)
			}
		}
	}
}

// isBeside holds for what the application stores beside sound: what was asked for, and of
// which type the sound is.
func isBeside(name string) bool {
	extension := filepath.Ext(name)
	return extension == ".json" || extension == ".mime"
}

// stems are what names of files that belong together begin with, up to the first dot. A
// folder may hold a million: a hash is kept of each, and one that two share keeps a file
// until the next time.
type stems struct {
	seed   maphash.Seed
	hashes map[uint64]struct{}
}

func newStems() *stems { return &stems{maphash.MakeSeed(), map[uint64]struct{}{}} }

func (s *stems) hashStem(name string) uint64 {
	stem, _, _ := strings.Cut(name, ".")
	return maphash.String(s.seed, stem)
}

func (s *stems) addStem(name string) { s.hashes[s.hashStem(name)] = struct{}{} }

func (s *stems) hasStem(name string) bool {
	_, has := s.hashes[s.hashStem(name)]
	return has
}
