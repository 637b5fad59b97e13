package main

import (
	"cmp"
	"fmt"
	"regexp"
	"time"

	"pruned/consumer"
)

type deadCmd struct {
	List    deadListCmd    `cmd:"" help:"List dead letters, oldest first."`
	Show    deadShowCmd    `cmd:"" help:"Show one, with its payload."`
	Redrive deadRedriveCmd `cmd:"" help:"Publish them again, under fresh ids; those that can be are removed."`
	Purge   deadPurgeCmd   `cmd:"" help:"Forget all dead letters."`
}

type deadShowCmd struct {
	Name string `arg:"" name:"seq" help:"Number of the dead letter; its whole name where several have that."`
}

// Validate refuses what no dead letter is called.
func (r *deadShowCmd) Validate() error { return checkDeadLetterNames(r.Name) }

// Run shows one dead letter.
func (r *deadShowCmd) Run(ctx *runContext) error {
	return ctx.runWith(ctx, func(a *app) error {
		letter, err := a.queue.DeadLetter(ctx, r.Name)
		if err != nil {
			return err
		}
		if ctx.isJSON() {
			return ctx.printObject(struct {
				consumer.DeadLetter
				Payload string `json:"payload"`
			}{letter, string(letter.Payload)})
		}
		return ctx.printTable(func(line func(...any)) {
			line("name", letter.Name)
			line("seq", letter.Seq)
			line("at", letter.At.Format(time.RFC3339))
			line("kind", letter.Kind)
			line("file", letter.FileID)
			line("deliveries", letter.Deliveries)
			line("sqlstate", letter.SQLState)
			line("error", letter.Error)
			line("payload", string(letter.Payload))
		})
	}, openDatabase, openSharedQueue)
}

type deadRedriveCmd struct {
	Names []string `arg:"" optional:"" name:"seq" help:"Numbers, or whole names; none: all."`
}

// Validate refuses what no dead letter is called.
func (r *deadRedriveCmd) Validate() error { return checkDeadLetterNames(r.Names...) }

// deadLetterName is a number, or a number and when the letter was stored.
var deadLetterName = regexp.MustCompile(`^[0-9]+(\.[0-9A-Za-z]+)?$`)

func checkDeadLetterNames(names ...string) error {
	for _, name := range names {
		if !deadLetterName.MatchString(name) {
			return fmt.Errorf("%q is no dead letter's name: wanted one that `pruned dead list` shows", name)
		}
	}
	return nil
}

// Run publishes dead letters again.
func (r *deadRedriveCmd) Run(ctx *runContext) error {
	return ctx.runWith(ctx, func(a *app) error {
		n, err := a.queue.Redrive(ctx, r.Names...)
		return cmp.Or(err, ctx.printCount("redriven", n))
	}, openDatabase, openSharedQueue)
}

type deadPurgeCmd struct{}

// Run forgets all dead letters.
func (deadPurgeCmd) Run(ctx *runContext) error {
	return ctx.runWith(ctx, func(a *app) error {
		n, err := a.queue.PurgeDeadLetters(ctx)
		return cmp.Or(err, ctx.printCount("purged", int(n)))
	}, openDatabase, openSharedQueue)
}
