// Command pruned deletes the files that an Open WebUI installation no longer
// uses: their rows, their vectors, their bytes.
//
// It is the only place that knows every package: each command is a file, and
// app.go puts its components together.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"

	"github.com/alecthomas/kong"
	"github.com/rs/zerolog"

	"pruned/cmd/pruned/page"
	"pruned/config"
)

// Exit statuses.
const (
	exitDone   = 0
	exitFailed = 1
	exitUsage  = 2
	exitHeld   = 3
	// exitUnsure: it was found nowhere, but something could not be searched.
	exitUnsure = exitUsage
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

// run is the whole program but its exit.
func run(ctx context.Context, args, environ []string, stdin io.Reader, stdout, stderr io.Writer) int {
	printed := &printer{to: stdout}
	c := &command{cli: &cli{}, stdin: stdin, stdout: printed, stderr: stderr, recent: &page.Log{}}
	parsed, err := config.Parse(c.cli, args, environ, printed,
		kong.Name("pruned"), kong.Vars{"version": "pruned " + version},
		kong.Description("Deletes the files that an Open WebUI installation no longer uses."))
	if err == nil {
		err = errors.Join(c.checkDryRun(parsed.Command()), c.checkOutput(parsed.Command()))
		c.quiet = !isCommand(parsed.Command(), chatty...) && !c.cli.Verbose
	}
	if err == nil {
		err = c.runTraced(ctx, parsed)
	}
	if err != nil && !errors.Is(err, config.ErrDone) && !printed.any && (c.isJSON() || wantsJSON(args)) {
		err = errors.Join(err, c.printObject(map[string]string{"error": err.Error()}))
	}
	return c.reportError(err)
}

// runTraced runs the command, and sends the last spans that it made.
func (c *command) runTraced(ctx context.Context, parsed *kong.Context) error {
	stop, err := c.startTracing(ctx)
	if err != nil {
		return &config.UsageError{Err: err}
	}
	defer stop()
	return parsed.Run(&runContext{ctx, c})
}

// reportError prints an error once, and turns it into an exit status.
func (c *command) reportError(err error) int {
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
	if errors.Is(err, errUnsure) {
		return exitUnsure
	}
	return exitFailed
}
