package repo

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// Mark is a small file in a folder that says which installation the folder belongs
// to. What is in a folder cannot say that: a copy of the database knows most of it
// too.
type Mark struct {
	Dir string
	// Optional: the application makes the folder when it needs it. Until then nothing
	// is in it, and nobody has marked it.
	Optional bool
}

// Absent says that there is no folder to be marked, and that this is in order.
func (m Mark) Absent() bool {
	_, err := os.Lstat(m.Dir)
	return m.Optional && errors.Is(err, fs.ErrNotExist)
}

const (
	markFile = ".pruned-installation"
	markMost = 4 << 10 // bytes that are read of one
	markText = "%s\n# This folder belongs to the Open WebUI installation of that name: pruned of another one removes nothing here.\n"
)

// Owner is the key of the installation that the folder is marked with; empty where
// it is not, or where there is no folder.
func (m Mark) Owner() (string, error) {
	owner, err := m.readOwner()
	if errors.Is(err, fs.ErrNotExist) {
		return "", nil
	}
	if err != nil {
		return "", fmt.Errorf("look whose folder %s is: %w", m.Dir, err)
	}
	return owner, nil
}

// readOwner reads the first line, which no mark of ours lacks.
func (m Mark) readOwner() (owner string, err error) {
	root, err := os.OpenRoot(m.Dir)
	if err != nil {
		return "", err
	}
	defer root.Close()
	info, err := root.Lstat(markFile)
	if err != nil {
		return "", err
	}
	if !info.Mode().IsRegular() {
		return "", fmt.Errorf("%s is no plain file", markFile)
	}
	file, err := root.Open(markFile)
	if err != nil {
		return "", err
	}
	defer file.Close()
	text, err := io.ReadAll(io.LimitReader(file, markMost))
	owner, _, whole := strings.Cut(string(text), "\n")
	if err == nil && (!whole || owner == "") {
		err = fmt.Errorf("%s does not say it: remove it if the folder is this installation's", markFile)
	}
	return owner, err
}

// Set marks the folder, if there is one.
func (m Mark) Set(owner string) error {
	root, err := os.OpenRoot(m.Dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	const fresh = markFile + ".new"
	if err == nil {
		defer root.Close()
		err = root.WriteFile(fresh, fmt.Appendf(nil, markText, owner), 0o644)
	}
	if err == nil {
		err = root.Rename(fresh, markFile)
	}
	if err != nil {
		return fmt.Errorf("mark folder %s: %w", m.Dir, err)
	}
	return nil
}

// Remove removes the mark where it is that of owner.
func (m Mark) Remove(owner string) error {
	is, err := m.Owner()
	if err != nil || is != owner || owner == "" {
		return err
	}
	if err := os.Remove(filepath.Join(m.Dir, markFile)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("remove the mark of folder %s: %w", m.Dir, err)
	}
	return nil
}
