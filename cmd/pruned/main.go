// Command pruned deletes the files that an Open WebUI installation no longer
// uses: their rows, their vectors, their bytes.
//
// It is the only place that knows every package: each command is a file, wire.go
// puts the parts together.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"github.com/alecthomas/kong"
	"github.com/rs/zerolog"

	"pruned/config"
)

// Exit statuses.
const (
	exitDone   = 0
	exitFailed = 1
	exitUsage  = 2
	exitHeld   = 3
)

// version is set by the linker.
var version = "dev"

func main() {
	boundMemory()
	zerolog.TimeFieldFormat = "2006-01-02T15:04:05.000Z07:00"
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	status := run(ctx, os.Args[1:], os.Environ(), os.Stdin, os.Stdout, os.Stderr)
	stop()
	os.Exit(status)
}

// cli is the command line. Commands come first in its help.
type cli struct {
	Run       runCmd       `cmd:"" help:"Consume claims and delete what nothing uses."`
	Publish   publishCmd   `cmd:"" help:"Claim that files are orphans: ids as arguments, or one a line on stdin."`
	Once      sweepCmd     `cmd:"" name:"sweep" help:"Find orphans once, and publish a claim about each; --dry-run shows what it would."`
	Replay    replayCmd    `cmd:"" help:"Handle claims of the past again: of the stream, or dead letters."`
	Explain   explainCmd   `cmd:"" help:"Tell everything known about one file, and what would become of it."`
	Dead      deadCmd      `cmd:"" help:"Dead letters: claims that can never succeed."`
	Ledger    ledgerCmd    `cmd:"" help:"Tell what was deleted, when, why, by which event."`
	Doctor    doctorCmd    `cmd:"" help:"Check every connection, privilege and limit, and say what to do."`
	Migrate   migrateCmd   `cmd:"" help:"Bring pruned's own tables up to date."`
	Uninstall uninstallCmd `cmd:"" help:"Remove pruned's own tables and streams."`
	Demo      demoCmd      `cmd:"" alone:"" help:"Clean a scratch installation with known orphans before your eyes; needs nothing and leaves nothing."`

	Output  string           `short:"o" default:"text" enum:"text,json" help:"text, or json: one object on one line."`
	Version kong.VersionFlag `help:"Print the version."`
	config.Config
}

// command is what a command runs with.
type command struct {
	cli    *cli
	stdin  io.Reader
	stdout io.Writer
	stderr io.Writer
}

// run is the whole program but its exit.
func run(ctx context.Context, args, environ []string, stdin io.Reader, stdout, stderr io.Writer) int {
	printed := &printer{to: stdout}
	c := &command{cli: &cli{}, stdin: stdin, stdout: printed, stderr: stderr}
	parsed, err := config.Parse(c.cli, args, environ, printed,
		kong.Name("pruned"), kong.Vars{"version": "pruned " + version},
		kong.Description("Deletes the files that an Open WebUI installation no longer uses."))
	if err == nil {
		err = c.rehearsable(parsed.Command())
	}
	if err == nil {
		err = parsed.Run(&runContext{ctx, c})
	}
	if err != nil && !errors.Is(err, config.ErrDone) && !printed.any && (c.json() || wantsJSON(args)) {
		err = errors.Join(err, c.object(map[string]string{"error": err.Error()}))
	}
	return c.report(err)
}

// forGood are the commands that change something and have no dry run.
var forGood = []string{"publish", "dead redrive", "dead purge", "migrate", "uninstall"}

// rehearsable refuses a dry run of what would be done all the same.
func (c *command) rehearsable(name string) error {
	if !c.cli.Consumer.DryRun {
		return nil
	}
	for _, never := range forGood {
		if name == never || strings.HasPrefix(name, never+" ") {
			return &config.UsageError{Err: fmt.Errorf("PRUNED_DRY_RUN (--dry-run) is true, and %s has no dry run: wanted false", never)}
		}
	}
	return nil
}

// runContext is what kong hands to a command: it has no context of its own.
type runContext struct {
	context.Context
	*command
}

// report prints an error once, and turns it into an exit status.
func (c *command) report(err error) int {
	var usage *config.UsageError
	switch {
	case err == nil, errors.Is(err, config.ErrDone):
		return exitDone
	case errors.As(err, &usage):
		fmt.Fprintf(c.stderr, "pruned: %v\nRun \"pruned --help\" for what there is.\n", err)
		return exitUsage
	}
	fmt.Fprintf(c.stderr, "pruned: %v\n", err)
	if errors.Is(err, errHeld) {
		return exitHeld
	}
	return exitFailed
}
