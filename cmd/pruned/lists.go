package main

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"time"

	"pruned/config"
)

// listFlags are those of commands that list.
type listFlags struct {
	Limit *int   `placeholder:"N" help:"Show at most so many, the newest; 0: all. Unset: 20 in a table, and all else."`
	Since string `placeholder:"T" help:"Only since then: a time such as 2026-01-31T08:00:00Z, or how long ago, such as 2h."`
}

// tableLimit is how much of a list fits on a screen.
const tableLimit = 20

// limitFor is how many lines are shown; zero is no limit.
func (c *command) limitFor(limit *int) int {
	switch {
	case limit != nil:
		return max(*limit, 0)
	case c.isTable():
		return tableLimit
	}
	return 0
}

// parseSince is zero where all is wanted.
func (f listFlags) parseSince() (time.Time, error) {
	if f.Since == "" {
		return time.Time{}, nil
	}
	since, err := parseInstant(f.Since, time.Now())
	if err != nil {
		err = &config.UsageError{Err: fmt.Errorf("--since: %w", err)}
	}
	return since, err
}

// group is what lines of a list have in common, for whoever looks at many.
type group struct{ what, why string }

// lastOf keeps the last so many of a list that may be long, with zero all of them, and
// counts all.
type lastOf[T any] struct {
	limit  int
	kept   []T
	total  int
	counts map[group]int
}

func newLastOf[T any](limit int) *lastOf[T] { return &lastOf[T]{limit: limit, counts: map[group]int{}} }

func (l *lastOf[T]) add(item T, of group) {
	l.total++
	l.counts[of]++
	l.kept = append(l.kept, item)
	if l.limit > 0 && len(l.kept) >= 2*l.limit {
		l.kept = append(l.kept[:0], l.list()...)
	}
}

// list is what is kept, in the order in which it came; never nil.
func (l *lastOf[T]) list() []T {
	if l.limit > 0 && len(l.kept) > l.limit {
		return l.kept[len(l.kept)-l.limit:]
	}
	return append([]T{}, l.kept...)
}

// printLast prints a list for people: how many there are of each group, the most first,
// then the lines, then how many were left out.
func printLast[T any](c *command, l *lastOf[T], header []any, cells func(T) []any) error {
	if l.total == 0 {
		return c.printNone()
	}
	groups := slices.SortedFunc(maps.Keys(l.counts), func(a, b group) int {
		return cmp.Or(cmp.Compare(l.counts[b], l.counts[a]), cmp.Compare(a.what, b.what), cmp.Compare(a.why, b.why))
	})
	err := c.printTable(func(line func(...any)) {
		for _, g := range groups[:min(len(groups), tableLimit)] {
			line(l.counts[g], g.what, printableText(g.why, 0))
		}
		if rest := len(groups) - tableLimit; rest > 0 {
			line("...", fmt.Sprintf("and %d more", rest))
		}
	})
	if err != nil {
		return err
	}
	fmt.Fprintln(c.stdout)
	shown := l.list()
	err = c.printTable(func(line func(...any)) {
		line(header...)
		for _, item := range shown {
			line(cells(item)...)
		}
	})
	if rest := l.total - len(shown); rest > 0 {
		fmt.Fprintf(c.stdout, "%d older ones are not shown: --limit 0 shows all\n", rest)
	}
	return err
}
