package main

import (
	"cmp"
	"fmt"
	"time"

	"pruned/consumer"
)

type deadListCmd struct {
	listFlags
	User string `placeholder:"USER" help:"Only about files of this user: an id, or a name."`
}

// namedLetter is a dead letter with what people know its file by.
type namedLetter struct {
	consumer.DeadLetter
	Filename  string `json:"filename,omitempty"`
	Owner     string `json:"owner,omitempty"`
	OwnerName string `json:"owner_name,omitempty"`
	Size      int64  `json:"size,omitempty"`
}

// Run lists dead letters.
func (r *deadListCmd) Run(ctx *runContext) error {
	since, err := r.parseSince()
	if err != nil {
		return err
	}
	return ctx.runWith(ctx, func(a *app) error {
		list, err := r.readLetters(ctx, a, since)
		switch {
		case err != nil:
			return err
		case ctx.isTable():
			return ctx.printLetters(list)
		case ctx.isJSON():
			return ctx.printObject(list.list())
		}
		for _, letter := range list.list() {
			fmt.Fprintln(ctx.stdout, letter.FileID)
		}
		return nil
	}, openDatabase, openSharedQueue)
}

// readLetters reads all that are wanted, and then who knows their files by what.
func (r *deadListCmd) readLetters(ctx *runContext, a *app, since time.Time) (*lastOf[namedLetter], error) {
	var letters []consumer.DeadLetter
	var ids []string
	for letter, err := range a.queue.DeadLetters(ctx) {
		if err != nil {
			return nil, err
		}
		if !letter.At.Before(since) {
			letters, ids = append(letters, letter), append(ids, letter.FileID)
		}
	}
	names := a.readLabels(ctx, ids)
	list := newLastOf[namedLetter](ctx.limitFor(r.Limit))
	for _, letter := range letters {
		if r.User == "" || names.isOwner(letter.FileID, r.User) {
			label := names.files[letter.FileID]
			list.add(namedLetter{letter, label.Name, label.Owner, names.users[label.Owner], label.Size}, group{letter.Kind, ""})
		}
	}
	return list, nil
}

// printLetters prints how many there are of each kind, and then the newest, the newest last.
func (c *command) printLetters(list *lastOf[namedLetter]) error {
	header := []any{"NAME", "AT", "KIND", "FILENAME", "OWNER", "SIZE", "FILE"}
	if c.isWide() {
		header = append(header, "DELIVERIES", "SQLSTATE")
	}
	return printLast(c, list, append(header, "ERROR"), func(l namedLetter) []any {
		size := "-"
		if l.Size > 0 {
			size = formatBytes(l.Size)
		}
		cells := []any{l.Name, l.At.Local().Format(time.DateTime), l.Kind, c.showName(l.Filename), c.showName(cmp.Or(l.OwnerName, l.Owner)),
			size, orDash(printableText(l.FileID, 0))}
		if c.isWide() {
			cells = append(cells, l.Deliveries, orDash(l.SQLState))
		}
		return append(cells, l.Error)
	})
}
