package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/dustin/go-humanize"
)

// minFreeSpace is what a file system must have free for anything to be stored there.
const minFreeSpace = 1 << 20

// fullDisk says, in a sentence, what is free on each file system that pruned writes
// to, where that is too little on any of them.
func (c *command) fullDisk() error {
	places := []struct{ name, path string }{{"PRUNED_DATA_DIR", c.cli.Queue.DataDir}, {"uploads", c.cli.Storage.UploadDir()}}
	if path, ok := c.cli.Database.SQLite(); ok {
		places = append(places, struct{ name, path string }{"webui.db", filepath.Dir(path)})
	}
	full := false
	var free []string
	for _, place := range places {
		n, err := freeSpace(existingParent(place.path))
		if err != nil {
			continue // what uses it says what is wrong with it
		}
		full = full || n < minFreeSpace
		free = append(free, fmt.Sprintf("%s has %s free", place.name, humanize.IBytes(n)))
	}
	if !full {
		return nil
	}
	return fmt.Errorf("a disk is full, pruned waits until there is room: %s", strings.Join(free, ", "))
}

// existingParent is the path, or else the nearest folder above it that exists.
func existingParent(path string) string {
	for {
		if _, err := os.Stat(path); err == nil || path == filepath.Dir(path) {
			return path
		}
		path = filepath.Dir(path)
	}
}
