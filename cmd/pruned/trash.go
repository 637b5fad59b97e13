package main

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"pruned/consumer/fault"
	"pruned/consumer/sweep"
	"pruned/repo"
)

type trashCmd struct {
	List  trashListCmd  `cmd:"" help:"List what can be restored, oldest first, and until when."`
	Empty trashEmptyCmd `cmd:"" help:"Forget it, and let its bytes go: all of it, or a part."`
}

type trashListCmd struct {
	listFlags
	User string `placeholder:"USER" help:"Only files of this user: an id, or a name."`
}

// trashedFile is an entry with the name of its owner.
type trashedFile struct {
	repo.Trashed
	OwnerName string `json:"owner_name,omitempty"`
}

// findTrash lists the entries that a filter means, of one user where one is named.
func (a *app) findTrash(ctx context.Context, filter repo.TrashFilter, user string) (files []trashedFile, err error) {
	list, err := a.db.ListTrash(ctx, filter)
	if err != nil {
		return nil, err
	}
	owners := make([]string, len(list))
	for i, entry := range list {
		owners[i] = entry.Owner
	}
	names := a.readUsers(ctx, owners)
	for _, entry := range list {
		name := names[entry.Owner]
		if user == "" || entry.Owner == user || strings.EqualFold(name, user) {
			files = append(files, trashedFile{entry, name})
		}
	}
	return files, nil
}

// Run lists what is in the trash.
func (r *trashListCmd) Run(ctx *runContext) error {
	since, err := r.parseSince()
	if err != nil {
		return err
	}
	return ctx.runWith(ctx, func(a *app) error {
		files, err := a.findTrash(ctx, repo.TrashFilter{Since: since}, r.User)
		if err != nil {
			return err
		}
		list := newLastOf[trashedFile](ctx.limitFor(r.Limit))
		for _, file := range files {
			list.add(file, group{"in the trash", ""})
		}
		switch {
		case ctx.isTable():
			return ctx.printTrash(list)
		case ctx.isJSON():
			return ctx.printObject(list.list())
		}
		for _, file := range list.list() {
			fmt.Fprintln(ctx.stdout, file.FileID)
		}
		return nil
	}, openMigrated)
}

// printTrash prints how many there are, and then the newest, the newest last.
func (c *command) printTrash(list *lastOf[trashedFile]) error {
	header := []any{"DELETED", "ENDS IN", "NAME", "OWNER", "SIZE", "FILE"}
	if c.isWide() {
		header = append(header, "PATH")
	}
	return printLast(c, list, append(header, "NOTE"), func(f trashedFile) []any {
		note := ""
		if f.BytesGone {
			note = "its bytes are gone"
		}
		cells := []any{f.At.Local().Format(time.DateTime), timeLeft(f.Trashed), c.showName(f.Filename),
			c.showName(cmp.Or(f.OwnerName, f.Owner)), formatBytes(f.Size), printableText(f.FileID, 0)}
		if c.isWide() {
			cells = append(cells, printableText(f.Path, 0))
		}
		return append(cells, note)
	})
}

// timeLeft is for how long an entry can still be restored.
func timeLeft(t repo.Trashed) string {
	return shortDuration(max(time.Until(t.Until), 0).Round(time.Minute))
}

type trashEmptyCmd struct {
	OlderThan span   `placeholder:"D" help:"Only what was deleted so long ago, such as 24h or 30d."`
	User      string `placeholder:"USER" help:"Only files of this user: an id, or a name."`
}

// Run forgets what is in the trash.
func (r *trashEmptyCmd) Run(ctx *runContext) error {
	return ctx.runWith(ctx, func(a *app) error {
		filter := repo.TrashFilter{}
		if r.OlderThan > 0 {
			filter.Before = time.Now().Add(-time.Duration(r.OlderThan))
		}
		files, err := a.findTrash(ctx, filter, r.User)
		if err != nil {
			return err
		}
		for page := range slices.Chunk(files, maxLabels) {
			ids := make([]string, len(page))
			for i, file := range page {
				ids[i] = file.FileID
			}
			if err := a.db.EmptyTrash(ctx, ids, ctx.cli.Consumer.BytesDelay); err != nil {
				return err
			}
			fault.Point("trash emptied")
		}
		return ctx.printCount("emptied", len(files))
	}, openMigrated)
}

// trashFindings tells how much the trash holds, and how to have it back.
func trashFindings(ctx context.Context, a *app) []finding {
	sum, err := a.db.SumTrash(ctx)
	switch {
	case err != nil && repo.KindOf(err) == repo.Environment:
		return nil // before the first run there are no tables
	case err != nil:
		return []finding{{Check: "trash", Detail: err.Error()}}
	case sum.Files == 0:
		return []finding{{Check: "trash", OK: true, Detail: "empty"}}
	}
	return []finding{{Check: "trash", OK: true,
		Detail: sweep.FormatCount(sum.Files, "files") + " of " + formatBytes(sum.Bytes) + " can be restored",
		Remedy: "`pruned trash list` shows them; `pruned trash empty` lets their bytes go now, where the disk is full"}}
}
