package main

import (
	"encoding/json"
	"fmt"
	"io"
	"text/tabwriter"

	"github.com/mattn/go-isatty"
	"github.com/rs/zerolog"
)

// json says whether the result is one object on one line.
func (c *command) json() bool { return c.cli.Output == "json" }

// object prints a result as one line of JSON.
func (c *command) object(v any) error {
	return json.NewEncoder(c.stdout).Encode(v)
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
