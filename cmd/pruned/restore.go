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
	"pruned/consumer/sweep"
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
	Reindex bool `help:"Have Open WebUI make their vectors again (OPEN_WEBUI_URL, OPEN_WEBUI_TOKEN); of ids that came back before, too."`
}

// restoredFile is what became of one file.
type restoredFile struct {
	restore.Result
	OwnerName string `json:"owner_name,omitempty"`
	Before    bool   `json:"restored_before,omitempty"` // and is here for its vectors
	Vectors   string `json:"vectors,omitempty"`         // what became of them; empty where nobody asked
}

// restoreReport is what became of all.
type restoreReport struct {
	DryRun   bool `json:"dry_run"`
	Restored int  `json:"restored"`
	Refused  int  `json:"refused"`
	// Reindexed files have vectors, as Open WebUI says; NotReindexed have none yet.
	Reindexed    int `json:"reindexed,omitempty"`
	NotReindexed int `json:"not_reindexed,omitempty"`

	Files []restoredFile `json:"files"`
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
	if err := cmp.Or(r.checkKeep(), r.checkReindex(ctx.cli.OpenWebUI)); err != nil {
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
		if err == nil && r.Reindex && !report.DryRun {
			err = ctx.reindexFiles(ctx, &report)
		}
		return errors.Join(ctx.printRestored(report), err, report.failure())
	}, openMigrated, openByteStore)
}

// checkKeep refuses to say how something is kept that is not.
func (r *restoreCmd) checkKeep() error {
	if !r.Keep && (r.For != 0 || r.Note != "") {
		return &config.UsageError{Err: errors.New("--for and --note say how a file is kept: wanted --keep as well")}
	}
	return r.check()
}

// failure is what makes the command fail that was carried out as far as it could be.
func (r restoreReport) failure() (err error) {
	if r.Refused > 0 {
		err = fmt.Errorf("%w: %d of %d were refused", errRefused, r.Refused, len(r.Files))
	}
	if r.NotReindexed > 0 {
		err = errors.Join(err, fmt.Errorf("%w: those of %s; `pruned restore --reindex ID...` tries them again", errNotReindexed, sweep.FormatCount(int64(r.NotReindexed), "files")))
	}
	return err
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
		restored := restoredFile{Result: result, OwnerName: file.OwnerName}
		if err == nil && r.Reindex && result.Absent {
			restored.Before, err = a.wasRestored(ctx, file.FileID)
		}
		if err != nil {
			return report, err
		}
		switch {
		case restored.Before:
			restored.Refused = ""
		case result.Refused != "":
			report.Refused++
		default:
			report.Restored++
		}
		report.Files = append(report.Files, restored)
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
			line(printableText(f.FileID, 0), c.showName(f.Filename), c.showName(cmp.Or(f.OwnerName, f.Owner)), formatBytes(f.Size), f.describe(done))
		}
	})
	if err != nil {
		return err
	}
	if report.Restored == 0 {
		return nil
	}
	if !c.cli.Restore.Reindex {
		fmt.Fprintf(c.stdout, "%s %s, without vectors: --reindex has Open WebUI make them; it also does when a file is added to a knowledge base\n",
			sweep.FormatCount(int64(report.Restored), "files"), done)
	}
	if !c.cli.Restore.Keep {
		fmt.Fprintf(c.stdout, "nothing mentions what comes back: use it, or keep it (--keep, `pruned keep`), else it goes again, %s after that is found\n", shortDuration(c.cli.Ages.Orphan))
	}
	return nil
}

// describe says what became of one file, where done is what is done with those that come back.
func (f restoredFile) describe(done string) string {
	switch {
	case f.Refused != "":
		return "refused: " + f.Refused
	case f.Before:
		done = "restored before"
	}
	if f.Vectors != "" {
		return done + tellColumns(f.Restored) + "; vectors: " + f.Vectors
	}
	return done + tellColumns(f.Restored)
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
