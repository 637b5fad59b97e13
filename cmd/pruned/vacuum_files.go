package main

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"time"

	"github.com/dustin/go-humanize"

	"pruned/cmd/pruned/vacuum"
)

// fileReport is what became of a file of SQLite.
type fileReport struct {
	File      string   `json:"file"`
	Before    int64    `json:"before"`
	Inside    int64    `json:"free_inside"` // of Before
	After     *int64   `json:"after,omitempty"`
	Needs     int64    `json:"needs"` // free while it lasts
	OpenIn    []string `json:"open_in,omitempty"`
	ExpectedS float64  `json:"expected_s,omitempty"`
	TookS     float64  `json:"took_s,omitempty"`
	LogKept   bool     `json:"log_kept,omitempty"`
	Error     string   `json:"error,omitempty"` // why it was not vacuumed, or would not be
}

// openFile is a file that is about to be vacuumed.
type openFile struct {
	*vacuum.File
	path   string
	report *fileReport
}

func closeFiles(files []*openFile) {
	for _, f := range files {
		f.Close()
	}
}

// openFiles opens every file and refuses those that cannot be vacuumed as things are. A dry
// run is refused nothing, and tells.
func (r *vacuumCmd) openFiles(ctx *runContext, paths []string) (files []*openFile, err error) {
	for _, path := range paths {
		f, err := openAlone(ctx, path)
		if err != nil {
			return files, err
		}
		files = append(files, f)
		figures, err := f.Measure(ctx)
		if err != nil {
			return files, err
		}
		need := vacuum.NeedOf(path, figures)
		f.report.Before, f.report.Inside, f.report.Needs = figures.Bytes, figures.Inside, need.Copy+need.Log
		refusal := checkRoom(path, need)
		if refusal == nil && (len(f.report.OpenIn) > 0 || ctx.cli.Consumer.DryRun) {
			refusal = r.checkUse(ctx, f, figures)
		}
		switch {
		case refusal != nil && ctx.cli.Consumer.DryRun:
			f.report.Error = refusal.Error()
		case refusal != nil:
			return files, refusal
		}
	}
	return files, nil
}

// unseenProcess stands for one that has a file open, and is another user's or container's.
const unseenProcess = "a process that cannot be seen from here"

// openAlone opens a file so that nobody else can. Where others have it open already, it
// says who they are, and opens it beside them.
func openAlone(ctx context.Context, path string) (*openFile, error) {
	f := &openFile{path: path, report: &fileReport{File: path, OpenIn: vacuum.FindHolders(path)}}
	var err error
	if len(f.report.OpenIn) == 0 {
		f.File, err = vacuum.OpenFile(ctx, path, false)
		if !errors.Is(err, vacuum.ErrInUse) {
			return f, err
		}
		f.report.OpenIn = []string{unseenProcess}
	}
	f.File, err = vacuum.OpenFile(ctx, path, true)
	return f, err
}

// checkUse measures how long others would wait for the file, and refuses to make them,
// unless that is wanted.
func (r *vacuumCmd) checkUse(ctx *runContext, f *openFile, figures vacuum.Figures) error {
	expected, err := f.ExpectDuration(ctx, figures)
	if err != nil {
		return err
	}
	f.report.ExpectedS = expected.Seconds()
	wait := fmt.Sprintf("its writes wait for all of it, about %s as measured on this disk, and those fail that wait longer than the application lets them (Open WebUI: 5s)", roughWait(expected))
	switch {
	case len(f.report.OpenIn) == 0:
		return nil
	case !r.Live:
		return fmt.Errorf("%s is open in %s: stop that first, or take --live: %s", f.path, strings.Join(f.report.OpenIn, ", "), wait)
	case !ctx.cli.Consumer.DryRun:
		log := ctx.newLogger()
		log.Info().Str("file", f.path).Strs("open_in", f.report.OpenIn).Msg("vacuuming beside an application: " + wait)
	}
	return nil
}

// roughWait writes a duration that was estimated.
func roughWait(d time.Duration) string {
	if d < time.Second {
		return "a second"
	}
	return roughDuration(int64(d.Round(time.Second).Seconds()))
}

// diskNeed is what a vacuum needs on one file system.
type diskNeed struct {
	dir   string
	disk  disk
	bytes uint64
}

// needsOf tells what a vacuum needs on which file system: one, or another for the copy.
// It tells nothing of those that nobody can ask.
func needsOf(path string, need vacuum.Need) (needs []diskNeed) {
	for _, n := range []diskNeed{{dir: filepath.Dir(path), bytes: uint64(need.Log)}, {dir: need.CopyDir, bytes: uint64(need.Copy)}} {
		var err error
		if n.disk, err = statDisk(n.dir); err != nil {
			continue
		}
		if len(needs) > 0 && needs[0].disk.device == n.disk.device {
			needs[0].bytes += n.bytes
		} else {
			needs = append(needs, n)
		}
	}
	return needs
}

// checkRoom refuses a vacuum that would fill a disk.
func checkRoom(path string, need vacuum.Need) error {
	for _, n := range needsOf(path, need) {
		if n.disk.free < n.bytes+minFreeSpace {
			return fmt.Errorf("to vacuum %s takes %s free in %s while it lasts, and %s are: make room, or let SQLITE_TMPDIR name a folder on another disk for the copy, which is half of it",
				path, humanize.IBytes(n.bytes+minFreeSpace), n.dir, humanize.IBytes(n.disk.free))
		}
	}
	return nil
}

// vacuumFiles vacuums every file. That one fails stops no other.
func (r *vacuumCmd) vacuumFiles(ctx *runContext, files []*openFile, report *vacuumReport) {
	for _, f := range files {
		report.Files = append(report.Files, f.report)
		if report.DryRun {
			continue
		}
		if err := f.vacuumFile(ctx); err != nil {
			f.report.Error = err.Error()
		}
	}
}

func (f *openFile) vacuumFile(ctx context.Context) (err error) {
	began := time.Now()
	if f.report.LogKept, err = f.Vacuum(ctx); err != nil {
		return err
	}
	f.report.TookS = time.Since(began).Seconds()
	figures, err := f.Measure(ctx)
	f.report.After = &figures.Bytes
	return err
}
