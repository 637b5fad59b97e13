package main

import (
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

type deadListCmd struct{}

// Run lists dead letters.
func (deadListCmd) Run(ctx *runContext) error {
	return ctx.with(ctx, func(p *parts) error {
		list := []consumer.DeadLetter{}
		for letter, err := range p.queue.DeadLetters(ctx) {
			if err != nil {
				return err
			}
			list = append(list, letter)
		}
		if ctx.json() {
			return ctx.object(list)
		}
		return ctx.table(func(line func(...any)) {
			line("NAME", "AT", "KIND", "FILE", "DELIVERIES", "SQLSTATE", "ERROR")
			for _, l := range list {
				line(l.Name, l.At.Format(time.RFC3339), l.Kind, l.FileID, l.Deliveries, l.SQLState, l.Error)
			}
		})
	}, database, sharedQueue)
}

type deadShowCmd struct {
	Name string `arg:"" name:"seq" help:"Number of the dead letter; its whole name where several have that."`
}

// Validate refuses what no dead letter is called.
func (r *deadShowCmd) Validate() error { return checkLetters(r.Name) }

// Run shows one dead letter.
func (r *deadShowCmd) Run(ctx *runContext) error {
	return ctx.with(ctx, func(p *parts) error {
		letter, err := p.queue.DeadLetter(ctx, r.Name)
		if err != nil {
			return err
		}
		if ctx.json() {
			return ctx.object(struct {
				consumer.DeadLetter
				Payload string `json:"payload"`
			}{letter, string(letter.Payload)})
		}
		return ctx.table(func(line func(...any)) {
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
	}, database, sharedQueue)
}

type deadRedriveCmd struct {
	Names []string `arg:"" optional:"" name:"seq" help:"Numbers, or whole names; none: all."`
}

// Validate refuses what no dead letter is called.
func (r *deadRedriveCmd) Validate() error { return checkLetters(r.Names...) }

// letterShape is a number, or a number and when the letter was stored.
var letterShape = regexp.MustCompile(`^[0-9]+(\.[0-9A-Za-z]+)?$`)

func checkLetters(names ...string) error {
	for _, name := range names {
		if !letterShape.MatchString(name) {
			return fmt.Errorf("%q is no dead letter's name: wanted one that `pruned dead list` shows", name)
		}
	}
	return nil
}

// Run publishes dead letters again.
func (r *deadRedriveCmd) Run(ctx *runContext) error {
	return ctx.with(ctx, func(p *parts) error {
		n, err := p.queue.Redrive(ctx, r.Names...)
		return firstError(err, ctx.counted("redriven", n))
	}, database, sharedQueue)
}

type deadPurgeCmd struct{}

// Run forgets all dead letters.
func (deadPurgeCmd) Run(ctx *runContext) error {
	return ctx.with(ctx, func(p *parts) error {
		n, err := p.queue.PurgeDeadLetters(ctx)
		return firstError(err, ctx.counted("purged", int(n)))
	}, database, sharedQueue)
}

// counted prints how many there were of something.
func (c *command) counted(what string, n int) error {
	if c.json() {
		return c.object(map[string]int{what: n})
	}
	_, err := fmt.Fprintf(c.stdout, "%s %d\n", what, n)
	return err
}

func firstError(errs ...error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}
