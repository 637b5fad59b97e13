package chroma

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"os"
	"slices"
	"time"

	"github.com/google/uuid"

	"pruned/repo/fileinfo"
	"pruned/vectors"
)

// foldersAtOnce bounds what is removed while Chroma cannot write: a folder has five files.
const foldersAtOnce = 20

// Chroma keeps the index of a collection's vectors in a folder that is named after its
// segment. It writes the segment into its tables first, and makes the folder when the
// first records come; when the collection is dropped it deletes the segment, and never the
// folder (1.5.9). So a folder is left behind where no segment has its name, and the
// segments were read after the folder was seen: in the other order it may be a new one's.

// Leftovers lists the folders that no segment names.
func (e *Embedded) Leftovers(ctx context.Context) (list []vectors.Leftover, folders int64, err error) {
	err = e.withSession(ctx, "look for folders that no segment of the embedded Chroma names", func(s *session) error {
		entries, err := fs.ReadDir(s.dir.FS(), ".")
		if err != nil {
			return err
		}
		var names []string
		for _, entry := range entries {
			if entry.IsDir() && isFolderName(entry.Name()) {
				names = append(names, entry.Name())
			}
		}
		folders = int64(len(names))
		names, err = s.findUnnamed(ctx, names)
		for _, name := range names {
			list = append(list, measureFolder(s.dir, name, e.clock()))
		}
		return err
	})
	return list, folders, err
}

// isFolderName holds for a UUID as Chroma writes it: in lower case, with hyphens.
func isFolderName(name string) bool {
	id, err := uuid.Parse(name)
	return err == nil && id.String() == name
}

// findUnnamed returns those of these folders that no segment names, of whatever tenant.
// Where there is no segment at all nothing is known of any folder: the tables may just
// have been made anew. The folders must have been seen before.
func (s *session) findUnnamed(ctx context.Context, names []string) ([]string, error) {
	segments, err := queryColumn[string](ctx, s, "SELECT id FROM segments")
	if err != nil || len(segments) == 0 {
		return nil, err
	}
	named := make(map[string]bool, len(segments))
	for _, segment := range segments {
		id, err := uuid.Parse(segment)
		if err != nil {
			return nil, fmt.Errorf("segment %q has no UUID: nobody knows how its folder is called", segment)
		}
		named[id.String()] = true
	}
	return slices.DeleteFunc(slices.Clone(names), func(name string) bool { return named[name] }), nil
}

// measureFolder looks at everything in a folder, and follows no link.
func measureFolder(root *os.Root, name string, now time.Time) vectors.Leftover {
	left := vectors.Leftover{Folder: name, Age: math.MaxInt64}
	left.Err = fs.WalkDir(root.FS(), name, func(_ string, entry fs.DirEntry, err error) error {
		var info fs.FileInfo
		if err == nil {
			info, err = entry.Info()
		}
		switch {
		case errors.Is(err, fs.ErrNotExist): // somebody removes it just now
			left.Age = 0
			return nil
		case err != nil:
			return err
		}
		left.Age = min(left.Age, fileinfo.TouchedAge(now, info))
		left.Bytes += fileinfo.AllocatedBytes(info)
		return nil
	})
	return left
}

// RemoveLeftovers removes a few folders at a time, in transactions that hold Chroma's write
// lock: between the look for their segments and the end of the folders no segment comes.
// A removal that ends halfway leaves a folder that is touched just now, and goes when it is
// old again.
func (e *Embedded) RemoveLeftovers(ctx context.Context, folders []string, minAge time.Duration) (list []vectors.Leftover, err error) {
	err = e.withSession(ctx, "remove folders that no segment of the embedded Chroma names", func(s *session) error {
		for some := range slices.Chunk(folders, foldersAtOnce) {
			there, err := s.filterFolders(some)
			if err != nil {
				return err
			}
			e.seen()
			_, err = s.inTxAndRest(ctx, func(*transaction) error {
				unnamed, err := s.findUnnamed(ctx, there)
				for _, name := range unnamed {
					if err := ctx.Err(); err != nil {
						return err
					}
					if left := e.removeFolder(s.dir, name, minAge); left != nil {
						list = append(list, *left)
					}
				}
				return err
			})
			if err != nil {
				return err
			}
		}
		return nil
	})
	return list, err
}

// filterFolders returns those names at which there is a folder now, and no link.
func (s *session) filterFolders(names []string) (there []string, err error) {
	for _, name := range names {
		if !isFolderName(name) {
			return nil, fmt.Errorf("%q is no name of a segment's folder", name)
		}
		info, err := s.dir.Lstat(name)
		switch {
		case errors.Is(err, fs.ErrNotExist):
		case err != nil:
			return nil, err
		case info.IsDir():
			there = append(there, name)
		}
	}
	return there, nil
}

// removeFolder removes a folder that is old enough, and is nil for one that is not.
func (e *Embedded) removeFolder(root *os.Root, name string, minAge time.Duration) *vectors.Leftover {
	left := measureFolder(root, name, e.clock())
	if left.Err == nil && left.Age < minAge {
		return nil
	}
	if left.Err == nil {
		left.Err = e.remove(root, name)
	}
	return &left
}
