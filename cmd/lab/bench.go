package main

import (
	"context"
	"fmt"
	"os"
	"slices"
	"text/tabwriter"
)

type benchCmd struct {
	Rounds int  `default:"3" help:"Of each comparison; the medians are printed."`
	Small  bool `help:"A tenth of everything, to see that it works: the figures mean little."`
}

// bench prints its tables as they are finished.
type bench struct {
	*lab
	rounds int
	shrink int
}

// Run prints every table.
func (c *benchCmd) Run(ctx context.Context) error {
	l, err := newLab(ctx)
	if err != nil {
		return err
	}
	defer l.close()
	b := &bench{lab: l, rounds: c.Rounds, shrink: 1}
	if c.Small {
		b.rounds, b.shrink = 1, 10
	}
	for _, part := range []func(context.Context) error{b.deletes, b.inUse, b.memory, b.sessions} {
		if err := part(ctx); err != nil {
			return err
		}
	}
	return nil
}

// table prints aligned columns below a title.
func table(title string, header []string, rows [][]string) error {
	fmt.Printf("\n%s\n", title)
	w := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', 0)
	for _, row := range append([][]string{header}, rows...) {
		for _, cell := range row {
			fmt.Fprintf(w, "%s\t", cell)
		}
		fmt.Fprintln(w)
	}
	return w.Flush()
}

func median(values []float64) float64 {
	sorted := slices.Sorted(slices.Values(values))
	return sorted[len(sorted)/2]
}
