package main

import (
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"text/tabwriter"
	"time"

	"github.com/mattn/go-isatty"
	"github.com/rs/zerolog"
	"github.com/schollz/progressbar/v3"

	"pruned/repo"
)

// isJSON says whether the result is one object on one line.
func (c *command) isJSON() bool { return c.cli.Output == "json" }

// isWide says whether a table has all its columns, and nothing is cut off.
func (c *command) isWide() bool { return c.cli.Output == "wide" }

// isTable says whether a list is for people.
func (c *command) isTable() bool { return c.cli.Output == "text" || c.isWide() }

// printNone tells that a list is empty.
func (c *command) printNone() error {
	_, err := fmt.Fprintln(c.stdout, "none")
	return err
}

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

// printObject prints a result as one line of JSON.
func (c *command) printObject(v any) error {
	return json.NewEncoder(c.stdout).Encode(v)
}

// jsonList prints a list of results as one line of JSON, as they come: there may be too
// many to be kept. It keeps its first error.
type jsonList struct {
	out   io.Writer
	begin string // what stands before the first value
	n     int
	err   error
}

func newJSONList(out io.Writer) *jsonList { return &jsonList{out: out, begin: "["} }

func (l *jsonList) appendValue(v any) {
	encoded, err := json.Marshal(v)
	if err != nil {
		l.err = cmp.Or(l.err, fmt.Errorf("encode a result: %w", err))
		return
	}
	before := ","
	if l.n == 0 {
		before = l.begin
	}
	l.n++
	l.writeText(before + string(encoded))
}

// closeList completes the list, also where it is not all that there should have been, and
// writes what follows.
func (l *jsonList) closeList(rest string) error {
	if l.n == 0 {
		l.writeText(l.begin)
	}
	l.writeText("]" + rest)
	return l.err
}

func (l *jsonList) writeText(text string) {
	if _, err := io.WriteString(l.out, text); err != nil {
		l.err = cmp.Or(l.err, fmt.Errorf("write a result: %w", err))
	}
}

// printTable prints lines of tab-separated cells, aligned.
func (c *command) printTable(rows func(line func(cells ...any))) error {
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

// newLogger makes a logger to stderr: for people on a terminal, JSON elsewhere.
func (c *command) newLogger() zerolog.Logger {
	settings := c.cli.Log
	level, err := zerolog.ParseLevel(settings.Level)
	if err != nil {
		level = zerolog.InfoLevel // config has refused every other
	}
	if c.quiet && level == zerolog.InfoLevel {
		level = zerolog.WarnLevel
	}
	out := c.stderr
	if settings.Format == "console" || settings.Format == "auto" && isTerminal(out) {
		out = zerolog.ConsoleWriter{Out: c.stderr, TimeFormat: "15:04:05", NoColor: !isTerminal(c.stderr)}
	}
	if c.cli.HTTP.AdminToken != "" {
		out = zerolog.MultiLevelWriter(out, c.recent)
	}
	return zerolog.New(out).Level(level).With().Timestamp().Logger()
}

func isTerminal(w io.Writer) bool {
	file, ok := w.(interface{ Fd() uintptr })
	return ok && isatty.IsTerminal(file.Fd())
}

// printDone prints a sentence about what was done.
func (c *command) printDone(what string) error {
	if c.isJSON() {
		return c.printObject(map[string]string{"done": what})
	}
	_, err := fmt.Fprintln(c.stdout, what)
	return err
}

// printCount prints how many there were of something.
func (c *command) printCount(what string, n int) error {
	if c.isJSON() {
		return c.printObject(map[string]int{what: n})
	}
	_, err := fmt.Fprintf(c.stdout, "%s %d\n", what, n)
	return err
}

// progressBar makes a progress bar on stderr that counts files, or nothing where that is no
// terminal.
func (c *command) progressBar(what string) *progressbar.ProgressBar {
	return c.progressBarOf("files", what)
}

// progressBarOf makes one that counts something else.
func (c *command) progressBarOf(items, what string) *progressbar.ProgressBar {
	return progressbar.NewOptions64(-1,
		progressbar.OptionSetWriter(c.stderr), progressbar.OptionSetDescription(what),
		progressbar.OptionSetVisibility(isTerminal(c.stderr) && !c.isJSON()),
		progressbar.OptionShowCount(), progressbar.OptionShowIts(), progressbar.OptionSetItsString(items),
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
