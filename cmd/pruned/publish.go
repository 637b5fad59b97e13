package main

import (
	"bufio"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"strings"

	"pruned/config"
	"pruned/consumer"
	"pruned/consumer/embedded"
	"pruned/consumer/event"
)

type publishCmd struct {
	subjectFlag
	Reason string   `default:"published by hand" help:"Why; the ledger keeps it."`
	Wait   bool     `help:"Wait for a consumer, and print the outcome of each event."`
	IDs    []string `arg:"" optional:"" name:"id" help:"File ids, or what --type says; none: one a line on stdin."`
}

var errNobodyConsumes = errors.New("--wait would wait for ever: no pruned run owns the embedded queue")

// maxLine is more than an id may have, so that a long one is told by its line.
const maxLine = 1 << 20

// Run publishes events.
func (r *publishCmd) Run(ctx *runContext) error {
	if queue := ctx.cli.Queue; r.Wait && queue.IsEmbedded() {
		running, err := embedded.Running(queue.DataDir)
		if err != nil {
			return err
		}
		if !running {
			return errNobodyConsumes
		}
	}
	return ctx.runWith(ctx, func(a *app) error { return r.publishIDs(ctx, a) }, openDatabase, openSharedQueue)
}

func (r *publishCmd) publishIDs(ctx *runContext, a *app) error {
	var refused []error
	var settled func(consumer.Settlement)
	outcomes := newJSONList(ctx.stdout)
	if r.Wait {
		settled = func(s consumer.Settlement) { ctx.printSettlement(s, outcomes) }
	}
	stored, err := a.queue.Publish(ctx, r.makeEvents(ctx, ctx.stdin, &refused), settled)
	switch {
	case r.Wait && ctx.isJSON():
		err = errors.Join(err, outcomes.closeList("\n"))
	case !r.Wait:
		err = cmp.Or(err, ctx.printCount("published", stored))
	}
	if len(refused) > 0 {
		return errors.Join(err, &config.UsageError{Err: errors.Join(refused...)})
	}
	return err
}

// printSettlement prints an outcome as it comes.
func (c *command) printSettlement(s consumer.Settlement, outcomes *jsonList) {
	if c.isJSON() {
		outcomes.appendValue(s)
		return
	}
	fmt.Fprintf(c.stdout, "%s\t%s\t%s\n", s.FileID, s.Outcome, s.Detail)
}

// makeEvents makes an event of each id. What is refused does not stop the rest.
func (r *publishCmd) makeEvents(ctx context.Context, stdin io.Reader, refused *[]error) iter.Seq2[event.Event, error] {
	return func(yield func(event.Event, error) bool) {
		for where, id := range r.readIDs(ctx, stdin, refused) {
			claim := event.NewOf(r.eventType(), id, "pruned/publish", r.Reason)
			if err := claim.Validate(); err != nil {
				*refused = append(*refused, fmt.Errorf("%s: %w", where, err))
				continue
			}
			if !yield(claim, nil) {
				return
			}
		}
		if ctx.Err() != nil {
			yield(event.Event{}, fmt.Errorf("read the ids: %w", context.Cause(ctx)))
		}
	}
}

// readIDs yields the arguments, or else the lines of stdin, each with where it stood.
func (r *publishCmd) readIDs(ctx context.Context, stdin io.Reader, refused *[]error) iter.Seq2[string, string] {
	return func(yield func(where, id string) bool) {
		for i, id := range r.IDs {
			if !yield(fmt.Sprintf("argument %d", i+1), id) {
				return
			}
		}
		if len(r.IDs) > 0 {
			return
		}
		n := 0
		for line, err := range scanLines(ctx, stdin) {
			n++
			if err != nil {
				*refused = append(*refused, fmt.Errorf("line %d: %w", n, err))
			} else if !yield(fmt.Sprintf("line %d", n), line) {
				return
			}
		}
	}
}

// scanLines reads lines until ctx ends: nothing else interrupts a read from a terminal.
func scanLines(ctx context.Context, from io.Reader) iter.Seq2[string, error] {
	return func(yield func(string, error) bool) {
		ctx, cancel := context.WithCancel(ctx)
		defer cancel()
		type line struct {
			text string
			err  error
		}
		read := make(chan line)
		go func() {
			defer close(read)
			lines := bufio.NewScanner(from)
			lines.Buffer(nil, maxLine)
			for more := true; more; {
				var l line
				if more = lines.Scan(); more {
					l.text = strings.TrimRight(lines.Text(), "\r")
				} else if l.err = lines.Err(); l.err == nil {
					return
				}
				select {
				case read <- l:
				case <-ctx.Done():
					return
				}
			}
		}()
		for {
			select {
			case l, more := <-read:
				if !more || !yield(l.text, l.err) {
					return
				}
			case <-ctx.Done():
				return
			}
		}
	}
}
