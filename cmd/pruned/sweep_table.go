package main

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/dustin/go-humanize"

	"pruned/consumer/sweep"
	"pruned/repo"
)

// sweepSorts say which orphans a table shows first.
var sweepSorts = map[string]func(a, b sweep.Orphan) int{
	"size": func(a, b sweep.Orphan) int { return cmp.Compare(b.Bytes, a.Bytes) },
	"age":  func(a, b sweep.Orphan) int { return cmp.Compare(b.Age, a.Age) },
	"due":  func(a, b sweep.Orphan) int { return cmp.Compare(a.DueIn, b.DueIn) },
}

// orphanTable gathers what a table shows of orphans, of which there may be too many to be
// kept: sums of each direction, and the first so many by an order.
type orphanTable struct {
	limit   int // zero: all
	compare func(a, b sweep.Orphan) int
	kept    []sweep.Orphan
	total   int
	sums    map[repo.Direction]*orphanSum
}

type orphanSum struct{ files, due, bytes int64 }

func newOrphanTable(limit int, sort string) *orphanTable {
	return &orphanTable{limit: limit, compare: sweepSorts[sort], sums: map[repo.Direction]*orphanSum{}}
}

func (t *orphanTable) add(o sweep.Orphan) {
	t.total++
	sum := t.sums[o.Direction]
	if sum == nil {
		sum = &orphanSum{}
		t.sums[o.Direction] = sum
	}
	sum.files++
	sum.bytes += max(o.Bytes, 0)
	if o.DueIn <= 0 {
		sum.due++
	}
	if t.kept = append(t.kept, o); t.limit > 0 && len(t.kept) >= 2*t.limit+1000 {
		t.kept = t.first()
	}
}

// first are the first so many.
func (t *orphanTable) first() []sweep.Orphan {
	slices.SortStableFunc(t.kept, t.compare)
	if t.limit > 0 && len(t.kept) > t.limit {
		return t.kept[:t.limit]
	}
	return t.kept
}

// print prints how many there are in each direction, and then the first of them, with what
// people know them by.
func (t *orphanTable) print(ctx *runContext, a *app) error {
	if t.total == 0 {
		return nil
	}
	err := ctx.printTable(func(line func(...any)) {
		line("FOUND", "SIZE", "DUE NOW", "")
		for _, d := range sweep.Directions {
			if sum := t.sums[d]; sum != nil {
				line(humanize.Comma(sum.files), formatBytes(sum.bytes), humanize.Comma(sum.due), sweep.DescribeFound(d))
			}
		}
	})
	if err != nil {
		return err
	}
	fmt.Fprintln(ctx.stdout)
	shown := t.first()
	names := a.readOrphanNames(ctx, shown)
	err = ctx.printTable(func(line func(...any)) {
		line("DIRECTION", "SIZE", "AGE", "DUE IN", "OWNER", "NAME", "REASON", "FILE")
		for _, o := range shown {
			due := "now"
			if o.DueIn > 0 {
				due = roughDuration(o.DueIn)
			}
			label := names.files[o.FileID]
			line(o.Direction, formatBytes(o.Bytes), roughDuration(o.Age), due, ctx.showName(cmp.Or(names.users[label.Owner], label.Owner)),
				ctx.showName(label.Name), orphanReason(o, label), printableText(o.FileID, 0))
		}
	})
	if rest := t.total - len(shown); rest > 0 {
		fmt.Fprintf(ctx.stdout, "%s more are not shown: --limit 0 shows all\n", humanize.Comma(int64(rest)))
	}
	fmt.Fprintln(ctx.stdout)
	return err
}

// orphanReason says why nothing uses a file, as far as that is known.
func orphanReason(o sweep.Orphan, label repo.FileLabel) string {
	switch {
	case o.Direction != repo.FromRows:
		return "its row is gone"
	case label.Status == "failed":
		return "its processing failed"
	}
	return "nothing mentions it"
}

// readOrphanNames reads the names of rows, and of objects whose row is gone.
func (a *app) readOrphanNames(ctx *runContext, orphans []sweep.Orphan) labels {
	var rows, objects []string
	for _, o := range orphans {
		switch o.Direction {
		case repo.FromRows:
			rows = append(rows, o.FileID)
		case repo.FromBytes:
			objects = append(objects, o.FileID)
		}
	}
	names := a.readLabels(ctx, rows)
	if len(objects) == 0 {
		return names
	}
	found, err := a.blobs.Find(ctx, objects)
	if err != nil {
		a.log.Warn().Err(err).Msg("objects are shown without their names")
	}
	for id, blobs := range found {
		if _, has := names.files[id]; !has && len(blobs) > 0 {
			names.files[id] = repo.FileLabel{Name: objectTitle(blobs[0].Name)}
		}
	}
	return names
}
