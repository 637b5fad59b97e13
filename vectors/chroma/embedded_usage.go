package chroma

import (
	"context"
	"errors"
	"io/fs"
	"iter"
	"os"

	"pruned/repo/fileinfo"
	"pruned/vectors"
)

var _ vectors.Measured = (*Embedded)(nil)

// CountChunks counts page by page, those that wait for their deletion too.
func (e *Embedded) CountChunks(ctx context.Context) iter.Seq2[vectors.Collection, error] {
	return func(yield func(vectors.Collection, error) bool) {
		err := e.withSession(ctx, "count the chunks in the embedded Chroma", func(s *session) error {
			return s.listCollections(ctx, anyName, func(c vectors.Collection) error {
				if !yield(c, nil) {
					return errStop
				}
				return nil
			})
		})
		if err != nil && !errors.Is(err, errStop) {
			yield(vectors.Collection{}, err)
		}
	}
}

// MeasureDisk looks at the file with its log, and into every folder that is named as one
// of an index. It opens no file.
func (e *Embedded) MeasureDisk(ctx context.Context) (disk vectors.Disk, err error) {
	root, err := os.OpenRoot(e.options.Dir)
	if errors.Is(err, fs.ErrNotExist) {
		return disk, nil
	}
	if err != nil {
		return disk, unusable("measure the embedded Chroma: %w", err)
	}
	defer func() { err = errors.Join(err, root.Close()) }()
	disk.Where = databaseFile + " with its log"
	entries, err := fs.ReadDir(root.FS(), ".")
	for _, entry := range entries {
		if err == nil {
			err = ctx.Err()
		}
		if err == nil {
			err = e.measureEntry(root, entry, &disk)
		}
	}
	if err != nil {
		return disk, unusable("measure the embedded Chroma: %w", err)
	}
	return disk, nil
}

func (e *Embedded) measureEntry(root *os.Root, entry fs.DirEntry, disk *vectors.Disk) error {
	switch name := entry.Name(); {
	case entry.IsDir() && isFolderName(name):
		folder := measureFolder(root, name, e.clock())
		disk.Folders++
		disk.FolderBytes += folder.Bytes
		return folder.Err
	case name == databaseFile, name == databaseFile+"-wal", name == databaseFile+"-shm", name == databaseFile+"-journal":
		info, err := entry.Info()
		if errors.Is(err, fs.ErrNotExist) {
			return nil // a journal that ended just now
		}
		if err == nil {
			disk.Bytes += fileinfo.AllocatedBytes(info)
		}
		return err
	}
	return nil
}
