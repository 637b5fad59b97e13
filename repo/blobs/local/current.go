package local

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"

	"pruned/repo"
)

// errEmptied: what is at the path now holds no upload, what was there does.
var errEmptied = errors.New("it was replaced by a folder without a single upload: is its volume mounted? Start pruned again if that folder is the right one")

// currentRoot returns the folder that the path leads to now. What was opened stays
// open where a restore, or a mount, puts another folder in its place: what is
// removed there is removed from nobody's uploads, and theirs stay. So the path is
// looked at before each use, and another folder is opened in its turn.
func (s *Store) currentRoot() (*os.Root, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	was, failed := s.root.Stat(".")
	if errors.Is(failed, fs.ErrClosed) {
		return nil, s.awayError(failed)
	}
	now, err := os.Stat(s.dir)
	if err != nil {
		return nil, s.awayError(err)
	}
	if failed == nil && os.SameFile(was, now) {
		return s.root, nil
	}
	next, err := os.OpenRoot(s.dir)
	if err != nil {
		return nil, s.awayError(err)
	}
	if err := checkReplacement(next, s.root); err != nil {
		return nil, errors.Join(s.awayError(err), next.Close())
	}
	old := s.root
	s.root = next
	_ = old.Close() // a call that still uses it fails, and is tried again
	return next, nil
}

// awayError is why there is no folder to work with.
func (s *Store) awayError(err error) error {
	return &repo.Error{Kind: repo.Environment, Doing: fmt.Sprintf("use the upload folder %s", s.dir), Err: err}
}

// checkReplacement refuses an empty folder in the place of one that is not: where a volume
// is no longer mounted, everything would seem to be removed already.
func checkReplacement(next, old *os.Root) error {
	held, err := holdsUploads(old)
	if err != nil || !held {
		return nil // it was removed itself
	}
	if held, err = holdsUploads(next); err == nil && !held {
		err = errEmptied
	}
	return err
}

func holdsUploads(root *os.Root) (held bool, err error) {
	err = walkObjects(context.Background(), root, func(_, name string) error {
		if info, err := root.Lstat(name); err == nil && info.Mode().IsRegular() {
			return errStop
		}
		return nil
	})
	if errors.Is(err, errStop) {
		return true, nil
	}
	return false, err
}
