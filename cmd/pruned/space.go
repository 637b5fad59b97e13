package main

import (
	"cmp"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/dustin/go-humanize"

	"pruned/cmd/pruned/metrics"
)

// minFreeSpace is what a file system must have free for anything to be stored there.
const minFreeSpace = 1 << 20

// disk is a file system.
type disk struct {
	device      uint64 // tells it from every other of this machine
	free, total uint64 // of which this user may still write free
}

// place is a folder that pruned writes to.
type place struct{ name, path string }

// writtenPlaces are the folders that pruned writes to.
func (c *command) writtenPlaces() []place {
	places := []place{{"PRUNED_DATA_DIR", c.cli.Queue.DataDir}, {"uploads", c.cli.Storage.UploadDir()}}
	if path, ok := c.cli.Database.SQLite(); ok {
		places = append(places, place{"webui.db", filepath.Dir(path)})
	}
	return places
}

// listDisks lists the file systems that pruned writes to, for /metrics.
func (c *command) listDisks() (list []metrics.Disk) {
	words := map[string]string{"PRUNED_DATA_DIR": "queue", "webui.db": "database"}
	for _, place := range c.writtenPlaces() {
		if disk, err := statDisk(existingParent(place.path)); err == nil {
			list = append(list, metrics.Disk{Place: cmp.Or(words[place.name], place.name), Free: disk.free, Total: disk.total})
		}
	}
	return list
}

// fullDisk says, in a sentence, what is free on each file system that pruned writes
// to, where that is too little on any of them.
func (c *command) fullDisk() error {
	full := false
	var free []string
	for _, place := range c.writtenPlaces() {
		disk, err := statDisk(existingParent(place.path))
		if err != nil {
			continue // what uses it says what is wrong with it
		}
		full = full || disk.free < minFreeSpace
		free = append(free, fmt.Sprintf("%s has %s free", place.name, humanize.IBytes(disk.free)))
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
