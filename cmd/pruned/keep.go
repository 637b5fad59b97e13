package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"time"

	"pruned/config"
	"pruned/consumer/event"
	"pruned/repo"
)

type keepCmd struct {
	Add    keepAddCmd    `cmd:"" default:"withargs" help:"Keep files that have a row, whatever mentions them."`
	List   keepListCmd   `cmd:"" help:"List what is kept, oldest first, until when and why."`
	Remove keepRemoveCmd `cmd:"" help:"Keep files no more."`
}

// keepFlags say how a file is kept.
type keepFlags struct {
	For  span   `placeholder:"D" help:"Keep for so long, such as 90d or 12h. Unset: for ever."`
	Note string `placeholder:"TEXT" help:"Why, for whoever lists or explains."`
}

// check refuses a note that cannot be stored.
func (f keepFlags) check() error {
	if f.Note == "" {
		return nil
	}
	if err := event.ValidateText(f.Note); err != nil {
		return &config.UsageError{Err: fmt.Errorf("--note: %w", err)}
	}
	return nil
}

// until says for how long a file is kept.
func (f keepFlags) until(now time.Time) string {
	if f.For == 0 {
		return "kept for ever"
	}
	return "kept until " + now.Add(time.Duration(f.For)).Local().Format(time.DateTime)
}

// checkIDs refuses what is no file's id.
func checkIDs(ids []string) error {
	for _, id := range ids {
		if err := event.NewOf(event.FileOrphaned, id, "pruned/keep", "").Validate(); err != nil {
			return &config.UsageError{Err: fmt.Errorf("id %q: %w", id, err)}
		}
	}
	return nil
}

type keepAddCmd struct {
	keepFlags
	IDs []string `arg:"" name:"id" help:"Files."`
}

// keptFile is what became of one file.
type keptFile struct {
	FileID  string `json:"file_id"`
	Kept    bool   `json:"kept"`
	Refused string `json:"refused,omitempty"`
}

var errNotKept = errors.New("not everything is kept")

// Run keeps one file after the other: whoever waits for a batch must hold no lock.
func (r *keepAddCmd) Run(ctx *runContext) error {
	if err := errors.Join(r.check(), checkIDs(r.IDs)); err != nil {
		return err
	}
	return ctx.runWith(ctx, func(a *app) error {
		var files []keptFile
		refused := 0
		for _, id := range r.IDs {
			file, err := a.keepFile(ctx, id, r.keepFlags)
			if err != nil {
				return errors.Join(ctx.printKept(files, r.keepFlags), err)
			}
			if files = append(files, file); !file.Kept {
				refused++
			}
		}
		err := ctx.printKept(files, r.keepFlags)
		if err == nil && refused > 0 {
			err = fmt.Errorf("%w: %d of %d were refused", errNotKept, refused, len(files))
		}
		return err
	}, openMigrated)
}

// keepFile keeps a file, or says why it cannot be kept.
func (a *app) keepFile(ctx context.Context, id string, how keepFlags) (file keptFile, err error) {
	file.FileID = id
	if file.Kept, err = a.db.KeepFile(ctx, nil, id, time.Duration(how.For), how.Note); err != nil || file.Kept {
		return file, err
	}
	file.Refused = "it has no row: it was deleted, or never was one"
	trash, err := a.db.ListTrash(ctx, repo.TrashFilter{IDs: []string{id}})
	if len(trash) > 0 {
		file.Refused = fmt.Sprintf("it was deleted; until %s `pruned restore --keep %s` takes it back", trash[0].Until.Local().Format(time.DateTime), id)
	}
	return file, err
}

func (c *command) printKept(files []keptFile, how keepFlags) error {
	if c.isJSON() {
		return c.printObject(files)
	}
	return c.printTable(func(line func(...any)) {
		for _, f := range files {
			result := how.until(time.Now())
			if !f.Kept {
				result = "refused: " + f.Refused
			}
			line(printableText(f.FileID, 0), result)
		}
	})
}

type keepListCmd struct {
	Limit *int `placeholder:"N" help:"Show at most so many, the newest; 0: all. Unset: 20 in a table, and all else."`
}

// listedKeep is one with what people know the file by.
type listedKeep struct {
	repo.Keep
	Filename  string `json:"filename"`
	Owner     string `json:"owner"`
	OwnerName string `json:"owner_name,omitempty"`
	Size      int64  `json:"size"`
	Gone      bool   `json:"gone,omitempty"` // the file has no row any more
}

// Run lists what is kept.
func (r *keepListCmd) Run(ctx *runContext) error {
	return ctx.runWith(ctx, func(a *app) error {
		keeps, err := a.db.ListKeeps(ctx, nil)
		if err != nil {
			return err
		}
		ids := make([]string, len(keeps))
		for i, k := range keeps {
			ids[i] = k.FileID
		}
		labels := a.readLabels(ctx, ids)
		list := newLastOf[listedKeep](ctx.limitFor(r.Limit))
		for _, k := range keeps {
			label, there := labels.files[k.FileID]
			list.add(listedKeep{k, label.Name, label.Owner, labels.users[label.Owner], label.Size, !there}, group{"kept", ""})
		}
		switch {
		case ctx.isTable():
			return ctx.printKeeps(list)
		case ctx.isJSON():
			return ctx.printObject(list.list())
		}
		for _, k := range list.list() {
			fmt.Fprintln(ctx.stdout, k.FileID)
		}
		return nil
	}, openMigrated)
}

func (c *command) printKeeps(list *lastOf[listedKeep]) error {
	return printLast(c, list, []any{"SINCE", "ENDS IN", "NAME", "OWNER", "SIZE", "FILE", "NOTE"}, func(k listedKeep) []any {
		ends := "never"
		if k.Until != nil {
			ends = shortSpan(max(time.Until(*k.Until), 0))
		}
		name := c.showName(k.Filename)
		if k.Gone {
			name = "its row is gone"
		}
		return []any{k.At.Local().Format(time.DateTime), ends, name, c.showName(cmp.Or(k.OwnerName, k.Owner)), formatBytes(k.Size),
			printableText(k.FileID, 0), printableText(k.Note, 0)}
	})
}

type keepRemoveCmd struct {
	IDs []string `arg:"" name:"id" help:"Files."`
}

var errWasNotKept = errors.New("was not kept")

// Run ends keeps. All are tried.
func (r *keepRemoveCmd) Run(ctx *runContext) error {
	return ctx.runWith(ctx, func(a *app) error {
		var missing []error
		removed := 0
		for _, id := range r.IDs {
			was, err := a.db.RemoveKeep(ctx, id)
			if err != nil {
				return err
			}
			if was {
				removed++
			} else {
				missing = append(missing, fmt.Errorf("file %q %w", id, errWasNotKept))
			}
		}
		return errors.Join(append([]error{ctx.printCount("removed", removed)}, missing...)...)
	}, openMigrated)
}
