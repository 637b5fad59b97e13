package main

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"pruned/config"
	"pruned/consumer/restore"
	"pruned/repo"
)

type restoreCmd struct {
	IDs          []string `arg:"" optional:"" name:"id" help:"Files."`
	Event        string   `placeholder:"ID" help:"What this event deleted, as the ledger tells (-o wide)."`
	Since        string   `placeholder:"T" help:"What was deleted since then: a time such as 2026-01-31T08:00:00Z, or how long ago, such as 2h."`
	User         string   `placeholder:"USER" help:"Files of this user: an id, or a name."`
	All          bool     `help:"Everything that is in the trash."`
	WithoutBytes bool     `help:"Also files whose bytes are gone: the row alone."`
	Keep         bool     `help:"Keep what comes back, as keep does: --for so long, with a --note."`
	keepFlags
}

// restoredFile is what became of one file.
type restoredFile struct {
	restore.Result
	OwnerName string `json:"owner_name,omitempty"`
}

// restoreReport is what became of all.
type restoreReport struct {
	DryRun   bool           `json:"dry_run"`
	Restored int            `json:"restored"`
	Refused  int            `json:"refused"`
	Files    []restoredFile `json:"files"`
}

var (
	errNothingToRestore = errors.New("wanted ids of files, or one of --event, --since, --user, --all")
	errRefused          = errors.New("not everything was restored")
)

// Run restores what is meant: where several things are said, what all of them mean.
func (r *restoreCmd) Run(ctx *runContext) error {
	if len(r.IDs) == 0 && r.Event == "" && r.Since == "" && r.User == "" && !r.All {
		return &config.UsageError{Err: errNothingToRestore}
	}
	if err := r.checkKeep(); err != nil {
		return err
	}
	since, err := listFlags{Since: r.Since}.parseSince()
	if err != nil {
		return err
	}
	return ctx.runWith(ctx, func(a *app) error {
		files, err := a.findTrash(ctx, repo.TrashFilter{IDs: r.IDs, EventID: r.Event, Since: since}, r.User)
		if err != nil {
			return err
		}
		report, err := r.restoreFiles(ctx, a, r.withMissing(files))
		if err := errors.Join(ctx.printRestored(report), err); err != nil {
			return err
		}
		if report.Refused > 0 {
			return fmt.Errorf("%w: %d of %d were refused", errRefused, report.Refused, len(report.Files))
		}
		return nil
	}, openMigrated, openByteStore)
}

// checkKeep refuses to say how something is kept that is not.
func (r *restoreCmd) checkKeep() error {
	if !r.Keep && (r.For != 0 || r.Note != "") {
		return &config.UsageError{Err: errors.New("--for and --note say how a file is kept: wanted --keep as well")}
	}
	return r.check()
}

// withMissing adds the files that were asked for by name and are not in the trash.
func (r *restoreCmd) withMissing(files []trashedFile) []trashedFile {
	if r.Event != "" || r.Since != "" || r.User != "" {
		return files
	}
	for _, id := range r.IDs {
		if !slices.ContainsFunc(files, func(f trashedFile) bool { return f.FileID == id }) {
			files = append(files, trashedFile{Trashed: repo.Trashed{FileID: id}})
		}
	}
	return files
}

// restoreFiles restores one after the other. What was restored before a failure is told.
func (r *restoreCmd) restoreFiles(ctx *runContext, a *app, files []trashedFile) (report restoreReport, err error) {
	restorer := &restore.Restorer{DB: a.db, Blobs: a.blobs, WithoutBytes: r.WithoutBytes, DryRun: ctx.cli.Consumer.DryRun}
	if r.Keep {
		restorer.Keep = &restore.Keep{Lasts: time.Duration(r.For), Note: r.Note}
	}
	report = restoreReport{DryRun: restorer.DryRun, Files: []restoredFile{}}
	bar := ctx.progressBar("restoring")
	defer func() { _ = bar.Exit() }()
	for _, file := range files {
		result, err := restorer.Restore(ctx, file.FileID)
		if err != nil {
			return report, err
		}
		if result.Refused != "" {
			report.Refused++
		} else {
			report.Restored++
		}
		report.Files = append(report.Files, restoredFile{result, file.OwnerName})
		_ = bar.Add(1)
	}
	return report, nil
}

// printRestored prints each file, and what they come to.
func (c *command) printRestored(report restoreReport) error {
	if c.isJSON() {
		return c.printObject(report)
	}
	if len(report.Files) == 0 {
		return c.printNone()
	}
	done := "restored"
	if report.DryRun {
		done = "would be restored"
	}
	err := c.printTable(func(line func(...any)) {
		line("FILE", "NAME", "OWNER", "SIZE", "RESULT")
		for _, f := range report.Files {
			result := done + tellColumns(f.Restored)
			if f.Refused != "" {
				result = "refused: " + f.Refused
			}
			line(printableText(f.FileID, 0), c.showName(f.Filename), c.showName(cmp.Or(f.OwnerName, f.Owner)), formatBytes(f.Size), result)
		}
	})
	if err != nil || report.Restored == 0 {
		return err
	}
	_, err = fmt.Fprintf(c.stdout, "%d files %s, without vectors: Open WebUI makes those from the text in the row when a file is added to a knowledge base\n", report.Restored, done)
	return err
}

// tellColumns tells what a row that came back is not as it was.
func tellColumns(r repo.Restored) (text string) {
	if len(r.Dropped) > 0 {
		text += "; table file has no column " + strings.Join(r.Dropped, ", ") + " any more"
	}
	if len(r.Added) > 0 {
		text += "; defaults in " + strings.Join(r.Added, ", ")
	}
	return text
}
