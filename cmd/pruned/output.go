package main

import (
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
	"time"

	"pruned/repo"

	"github.com/mattn/go-isatty"
	"github.com/rs/zerolog"
	"github.com/schollz/progressbar/v3"
)

// json says whether the result is one object on one line.
func (c *command) json() bool { return c.cli.Output == "json" }

// printer notes whether anything was printed: where a command fails before it has a
// result, its error is the one object.
type printer struct {
	to  io.Writer
	any bool
}

func (p *printer) Write(text []byte) (int, error) {
	p.any = p.any || len(text) > 0
	return p.to.Write(text)
}

// wantsJSON reads the command line where it could not be parsed.
func wantsJSON(args []string) bool {
	for i, arg := range args {
		switch arg {
		case "-ojson", "-o=json", "--output=json":
			return true
		case "-o", "--output":
			if i+1 < len(args) && args[i+1] == "json" {
				return true
			}
		}
	}
	return false
}

// object prints a result as one line of JSON.
func (c *command) object(v any) error {
	return json.NewEncoder(c.stdout).Encode(v)
}

// list prints a list of results as one line of JSON, as they come: there may be too
// many to be kept. It keeps its first error.
type list struct {
	out io.Writer
	n   int
	err error
}

func (l *list) add(v any) {
	encoded, err := json.Marshal(v)
	if err != nil {
		l.err = cmp.Or(l.err, fmt.Errorf("encode a result: %w", err))
		return
	}
	before := ","
	if l.n == 0 {
		before = "["
	}
	l.n++
	l.write(before, string(encoded))
}

// end completes the list, also where it is not all that there should have been.
func (l *list) end() error {
	if l.n == 0 {
		l.write("[")
	}
	l.write("]\n")
	return l.err
}

func (l *list) write(pieces ...string) {
	if _, err := io.WriteString(l.out, strings.Join(pieces, "")); err != nil {
		l.err = cmp.Or(l.err, fmt.Errorf("write a result: %w", err))
	}
}

// table prints lines of tab-separated cells, aligned.
func (c *command) table(rows func(line func(cells ...any))) error {
	w := tabwriter.NewWriter(c.stdout, 0, 0, 2, ' ', 0)
	rows(func(cells ...any) {
		for i, cell := range cells {
			if i > 0 {
				fmt.Fprint(w, "\t")
			}
			fmt.Fprint(w, cell)
		}
		fmt.Fprintln(w)
	})
	return w.Flush()
}

// logger logs to stderr: for people on a terminal, JSON elsewhere.
func (c *command) logger() zerolog.Logger {
	settings := c.cli.Log
	level, err := zerolog.ParseLevel(settings.Level)
	if err != nil {
		level = zerolog.InfoLevel // config has refused every other
	}
	out := c.stderr
	if settings.Format == "console" || settings.Format == "auto" && isTerminal(out) {
		out = zerolog.ConsoleWriter{Out: c.stderr, TimeFormat: "15:04:05", NoColor: !isTerminal(c.stderr)}
	}
	return zerolog.New(out).Level(level).With().Timestamp().Logger()
}

func isTerminal(w io.Writer) bool {
	file, ok := w.(interface{ Fd() uintptr })
	return ok && isatty.IsTerminal(file.Fd())
}

// say prints that something was done.
func (c *command) say(what string) error {
	if c.json() {
		return c.object(map[string]string{"done": what})
	}
	_, err := fmt.Fprintln(c.stdout, what)
	return err
}

// counted prints how many there were of something.
func (c *command) counted(what string, n int) error {
	if c.json() {
		return c.object(map[string]int{what: n})
	}
	_, err := fmt.Fprintf(c.stdout, "%s %d\n", what, n)
	return err
}

// bar is a progress bar on stderr, or nothing where that is no terminal.
func (c *command) bar(what string) *progressbar.ProgressBar {
	return progressbar.NewOptions64(-1,
		progressbar.OptionSetWriter(c.stderr), progressbar.OptionSetDescription(what),
		progressbar.OptionSetVisibility(isTerminal(c.stderr) && !c.json()),
		progressbar.OptionShowCount(), progressbar.OptionShowIts(), progressbar.OptionSetItsString("files"),
		progressbar.OptionThrottle(100*time.Millisecond), progressbar.OptionClearOnFinish())
}

// tableProgress shows a full pass, a table at a time.
func tableProgress(bar *progressbar.ProgressBar) repo.Progress {
	stage := stageProgress(bar)
	return func(table string, done, estimate int64) { stage("indexing "+table, done, estimate) }
}

// stageProgress shows how far a stage is; a total of zero is unknown.
func stageProgress(bar *progressbar.ProgressBar) func(stage string, done, total int64) {
	return func(stage string, done, total int64) {
		bar.Describe(stage)
		if total <= 0 {
			total = -1
		}
		bar.ChangeMax64(total)
		_ = bar.Set64(done)
	}
}
