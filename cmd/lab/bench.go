package main

import (
	"context"
	"fmt"
	"os"
	"slices"
	"text/tabwriter"
)

type benchCmd struct {
	Rounds int    `default:"3" help:"Of each comparison; the medians are printed."`
	Small  bool   `help:"A hundredth of everything, to see that it works: the figures mean nothing."`
	Large  bool   `help:"The table scale of an installation with 2,000,000 chats, 3,000,000 messages and 1,000,000 files, the table memory with 200,000 events in the process and 2,000,000 beside it."`
	Only   string `enum:"all,deletes,trash,page,in-use,latency,memory,sessions,sweep,scale,scale-sqlite,collections,sqlite,peer" default:"all" help:"One table: deletes, trash, page, in-use, latency, memory, sessions, sweep, scale, scale-sqlite, collections, sqlite, or peer, which all is without."`
	Peer   string `type:"existingdir" help:"For the table peer: a checkout of prune-open-webui, which is run once."`
}

// bench prints its tables as they are finished.
type bench struct {
	*lab
	rounds int
	shrink int
	large  bool
}

// Run prints every table.
func (c *benchCmd) Run(ctx context.Context, l *lab) error {
	b := &bench{lab: l, rounds: c.Rounds, shrink: 1, large: c.Large}
	if c.Small {
		b.rounds, b.shrink = 1, 100
	}
	if c.Only == "peer" {
		return b.measurePeer(ctx, c.Peer)
	}
	for _, part := range []struct {
		name string
		run  func(context.Context) error
	}{{"deletes", b.measureDeletes}, {"trash", b.measureTrash}, {"page", b.measurePage}, {"in-use", b.measureInUse}, {"latency", b.measureLatency}, {"memory", b.measureMemory}, {"sessions", b.measureSessions}, {"sweep", b.measureSweeps}, {"scale", b.measureScale}, {"scale-sqlite", b.measureScaleSQLite}, {"collections", b.measureCollections}, {"sqlite", b.measureSQLite}} {
		if c.Only != "all" && c.Only != part.name {
			continue
		}
		if err := part.run(ctx); err != nil {
			return err
		}
	}
	return nil
}

// printTable prints aligned columns below a title.
func printTable(title string, header []string, rows [][]string) error {
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
