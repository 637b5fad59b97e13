// Package cache removes what the application stores only in order not to make it again,
// once nothing has touched it for long.
//
// Its central idea is to leave alone what it does not know: it enters the folders of
// openwebui.CacheFolders and no other, removes plain files and no folder, and goes
// through no link. It knows neither rows nor whose the data folder is.
package cache

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"strings"
	"time"

	"pruned/repo"
	"pruned/repo/fileinfo"
	"pruned/repo/openwebui"
)

// Folder is the cache below a data folder.
type Folder struct {
	dataDir string
	age     fileinfo.Age
}

var _ repo.Cache = (*Folder)(nil)

// New returns the cache below Open WebUI's data folder. Nothing of it needs to exist.
func New(dataDir string) *Folder {
	return &Folder{dataDir: dataDir, age: fileinfo.TouchedAge}
}

// ByModification has only the times of modification count (fileinfo.ModifiedAge). It
// returns the folder.
func (f *Folder) ByModification() *Folder {
	f.age = fileinfo.ModifiedAge
	return f
}

// CountOld counts the files that nothing touched for so long.
func (f *Folder) CountOld(ctx context.Context, age time.Duration) (repo.CacheFiles, error) {
	return f.walkFolders(ctx, &walk{limit: age})
}

// RemoveOld removes the files that nothing touched for so long.
func (f *Folder) RemoveOld(ctx context.Context, age time.Duration) (repo.CacheFiles, error) {
	return f.walkFolders(ctx, &walk{limit: age, remove: (*os.Root).Remove})
}

func (f *Folder) walkFolders(ctx context.Context, w *walk) (repo.CacheFiles, error) {
	w.ctx, w.age = ctx, f.age
	root, err := os.OpenRoot(f.dataDir)
	if err != nil {
		w.noteFailure("open", f.dataDir, err)
		return w.found, ctx.Err()
	}
	defer root.Close()
	for _, path := range openwebui.CacheFolders {
		w.walkPath(root, f.dataDir, strings.Split(path, "/"))
	}
	return w.found, ctx.Err()
}

// errNoFolder is told, and not passed over, of the folders that are known by name: nothing
// of the cache is removed then.
var errNoFolder = errors.New("it is a link, or no folder: nothing behind it is removed")

// openFolder opens a folder within another. That one is a link is seen before it is
// opened, and that it became one in between is seen after.
func openFolder(parent *os.Root, name string) (*os.Root, error) {
	there, err := parent.Lstat(name)
	if err != nil {
		return nil, err
	}
	if !there.IsDir() {
		return nil, errNoFolder
	}
	root, err := parent.OpenRoot(name)
	if err != nil {
		return nil, err
	}
	opened, err := root.Stat(".")
	if err == nil && !os.SameFile(there, opened) {
		err = errNoFolder
	}
	if err != nil {
		return nil, errors.Join(err, root.Close())
	}
	return root, nil
}

// isHidden holds for names that the application gives to none of its files, and systems
// to theirs: .snapshot, .nfs0001, .DS_Store.
func isHidden(entry fs.DirEntry) bool { return strings.HasPrefix(entry.Name(), ".") }
