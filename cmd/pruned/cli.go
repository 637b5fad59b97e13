package main

import (
	"context"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/alecthomas/kong"
	"go.opentelemetry.io/otel/trace"

	"pruned/cmd/pruned/page"
	"pruned/config"
)

// cli is the command line. Commands come first in its help.
type cli struct {
	Run        runCmd        `cmd:"" help:"The daemon: sweep, handle events, delete what nothing uses."`
	Publish    publishCmd    `cmd:"" help:"Report files that may be orphans: ids as arguments, or one a line on stdin."`
	Once       sweepCmd      `cmd:"" name:"sweep" help:"Find orphans once, and publish an event about each; --dry-run shows what it would."`
	Replay     replayCmd     `cmd:"" help:"Handle events of the past again: of the stream, or dead letters."`
	Explain    explainCmd    `cmd:"" help:"Tell everything known about one file, and what would become of it."`
	Trace      traceCmd      `cmd:"" help:"Tell where the id of a user, a file, a chat, a knowledge base still occurs; 1 where it does, 2 where something could not be searched."`
	Usage      usageCmd      `cmd:"" help:"Tell where the storage is: by kind, by user, by knowledge base; rows whose bytes are missing, and what is stored more than once."`
	Status     statusCmd     `cmd:"" help:"Show on one screen what is there, found, due, held, waiting, dead and freed."`
	Pause      pauseCmd      `cmd:"" help:"Pause every process of the installation: no batch begins and nothing is removed; sweeps go on to find."`
	Resume     resumeCmd     `cmd:"" help:"Let the work go on."`
	Pace       rateCmd       `cmd:"" name:"rate" help:"Set how many events a second each process handles at most, or tell it."`
	Dead       deadCmd       `cmd:"" help:"Dead letters: events that can never succeed."`
	Keep       keepCmd       `cmd:"" help:"Keep files that nothing mentions, for a while or for ever: a reference of pruned's own."`
	Restore    restoreCmd    `cmd:"" help:"Take deleted files back from the trash: the row, and its bytes, which are still there."`
	Trash      trashCmd      `cmd:"" help:"What was deleted a while ago and can be restored."`
	Ledger     ledgerCmd     `cmd:"" help:"Tell what was deleted, when, why, by which event."`
	Doctor     doctorCmd     `cmd:"" help:"Check every connection, privilege and limit, and say what to do."`
	Migrate    migrateCmd    `cmd:"" help:"Bring pruned's own tables up to date."`
	Vacuum     vacuumCmd     `cmd:"" help:"Give back what deleted rows leave behind: to the disk (SQLite), to their tables (PostgreSQL)."`
	Uninstall  uninstallCmd  `cmd:"" help:"Remove pruned's own tables and streams."`
	Settings   configCmd     `cmd:"" name:"config" help:"Show the settings as they hold, and where each comes from; secrets are masked."`
	Release    versionCmd    `cmd:"" name:"version" alone:"" help:"Print the version, the commit and the version of Go."`
	Completion completionCmd `cmd:"" alone:"" help:"Print what bash, zsh or fish completes commands and flags by."`
	Demo       demoCmd       `cmd:"" alone:"" help:"Clean a scratch installation with known orphans before your eyes; needs nothing and leaves nothing."`

	Output  string           `short:"o" default:"text" enum:"text,json,wide,name" help:"text, or json: one object on one line. Of lists also wide, with more columns, and name: ids, one a line."`
	Verbose bool             `short:"v" help:"Short commands, too, log what they do."`
	Version kong.VersionFlag `help:"Print the version."`
	config.Config
}

// command is what a command runs with.
type command struct {
	cli    *cli
	stdin  io.Reader
	stdout io.Writer
	stderr io.Writer
	// quiet: it answers a question, and logs what it does only when it is asked to.
	quiet  bool
	recent *page.Log    // what was logged last, where there is a page
	tracer trace.Tracer // nil: nobody traces
}

// chatty lists the commands that work for long, and are watched by their log.
var chatty = []string{"run", "replay", "vacuum"}

// destructive lists the commands that change something and have no dry run.
var destructive = []string{"publish", "dead redrive", "dead purge", "trash empty", "pause", "resume", "rate", "keep add", "keep remove", "migrate", "uninstall"}

// checkDryRun refuses a dry run of a command that has none.
func (c *command) checkDryRun(name string) error {
	if !c.cli.Consumer.DryRun {
		return nil
	}
	for _, never := range destructive {
		if isCommand(name, never) {
			return &config.UsageError{Err: fmt.Errorf("PRUNED_DRY_RUN (--dry-run) is true, and %s has no dry run: wanted false", never)}
		}
	}
	return nil
}

// isCommand says whether a command line, as kong names it with its arguments, is one of
// these commands.
func isCommand(name string, commands ...string) bool {
	return slices.ContainsFunc(commands, func(command string) bool {
		return name == command || strings.HasPrefix(name, command+" ")
	})
}

// listing are the commands that can print a list of files in other ways.
var listing = []string{"sweep", "ledger", "dead list", "trash list", "keep list"}

// checkOutput refuses a way to print that a command does not have.
func (c *command) checkOutput(name string) error {
	if c.cli.Output != "wide" && c.cli.Output != "name" {
		return nil
	}
	if isCommand(name, listing...) {
		return nil
	}
	return &config.UsageError{Err: fmt.Errorf("--output=%s: %s lists no files: wanted text or json", c.cli.Output, name)}
}

// runContext is what kong hands to a command: it has no context of its own.
type runContext struct {
	context.Context
	*command
}
