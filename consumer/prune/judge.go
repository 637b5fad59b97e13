package prune

import (
	"fmt"
	"time"

	"pruned/consumer/event"
	"pruned/repo"
	"pruned/repo/mention"
)

const (
	// minRetry is the soonest that a young file is worth another claim.
	minRetry = time.Minute
	// doubtRetry is how long a restore, or a person who confirms, is given.
	doubtRetry = 10 * time.Minute
)

// judge says what becomes of a file whose row is locked, by what the look found.
// Whatever cannot be known keeps it.
func judge(f repo.File, look repo.Look, ages repo.Ages) event.Result {
	if reference, found := look.Referenced[f.ID]; found {
		return kept(reference)
	}
	switch {
	case !mention.Searchable(mention.Token(f.ID)):
		return event.Result{Outcome: event.Kept, Detail: "its id may be written in other ways, so that no search can tell whether it is in use"}
	case look.Unknown[f.ID]:
		return young("it appeared with an old date: every table is read once more first", minRetry)
	case f.InFlight:
		return young("it is being processed", f.Ripe)
	case f.Ripe > 0:
		return young(fmt.Sprintf("it is %s old", f.Age.Round(time.Second)), max(f.Ripe, ages.Orphan-f.Orphan))
	case ages.Orphan > 0 && !f.Clocked:
		return young("it was not known to be unreferenced before", ages.Orphan)
	case f.Orphan < ages.Orphan:
		return young(fmt.Sprintf("it is known to be unreferenced for only %s", f.Orphan.Round(time.Second)), ages.Orphan-f.Orphan)
	case look.Pending != "":
		return young("somebody may yet commit a mention of it: "+look.Pending, minRetry)
	}
	return event.Result{Outcome: event.Deleted}
}

// judgeGone says what becomes of an id without a row. Bytes without a row may be
// an upload under way: the application writes them first.
func judgeGone(found []repo.Blob, ages repo.Ages) event.Result {
	for _, blob := range found {
		if blob.Age < ages.Min {
			return young(fmt.Sprintf("it has no row, and bytes that are %s old", blob.Age.Round(time.Second)), ages.Min-blob.Age)
		}
	}
	return event.Result{Outcome: event.Gone}
}

// doubtful is what becomes of an id without a row where no file has one. Young, and
// not busy: the table may be empty for good, and a drain would never end. Nor does
// anything pass by waiting: a restore that begins later would find the table as
// empty as it was before. So that only a row, or a person, decides: a sweep finds
// what is left, is held, and what is confirmed goes.
func doubtful() event.Result {
	return young("table file is empty, as while a backup is restored: only `pruned sweep --confirm` lets anything go", doubtRetry)
}

func kept(r repo.Reference) event.Result {
	detail := "mentioned by " + r.Table
	if r.Row != "" {
		detail += " " + r.Row
	}
	if r.Column != "" {
		detail += ", column " + r.Column
	}
	return event.Result{Outcome: event.Kept, Detail: detail}
}

func young(why string, in time.Duration) event.Result {
	return event.Result{Outcome: event.Young, Detail: why, RetryIn: max(in, minRetry)}
}
