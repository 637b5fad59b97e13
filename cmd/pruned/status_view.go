package main

import (
	"fmt"
	"io"
	"time"

	"github.com/dustin/go-humanize"

	"pruned/consumer/sweep"
	"pruned/repo"
)

// clearScreen has a terminal begin anew.
const clearScreen = "\x1b[H\x1b[2J"

// showStatus prints one look; those of --watch one after the other, each on a screen of its
// own where that is a terminal.
func (c *command) showStatus(s *status, again bool) error {
	if c.isJSON() {
		return c.printObject(s)
	}
	if again {
		before := "\n"
		if isTerminal(c.stdout) {
			before = clearScreen
		}
		if _, err := io.WriteString(c.stdout, before+s.At.Local().Format(time.TimeOnly)+"\n"); err != nil {
			return fmt.Errorf("print the status: %w", err)
		}
	}
	return c.printTable(func(line func(...any)) {
		for _, part := range []struct {
			title, name string // as Errors has it
			tell        func() []string
		}{
			{"database", "database", s.tellDatabase},
			{"vectors", "vectors", func() []string { return s.tellStore(repo.Vectors) }},
			{"uploads", "uploads", func() []string { return s.tellStore(repo.Bytes) }},
			{"daemon", "daemon", s.tellDaemon},
			{"last sweep", "daemon", s.tellSweep},
			{"found", "found", s.tellFound},
			{"due next", "due", s.tellDue},
			{"held", "held", s.tellHeld},
			{"waiting", "waiting", s.tellWaiting},
			{"trash", "trash", s.tellTrash},
			{"freed", "freed", s.tellFreed},
			{"work", "queue", s.tellWork},
			{"queue", "queue", s.tellQueue},
			{"dead letters", "queue", s.tellDeadLetters},
		} {
			lines, title := s.tellPart(part.name, part.tell), part.title
			for _, text := range lines {
				line(title, text)
				title = ""
			}
		}
	})
}

// tellPart tells a part, or why nobody knows. Without the database no other part is known.
func (s *status) tellPart(name string, tell func() []string) []string {
	if why, failed := s.Errors[name]; failed {
		return []string{"cannot be read: " + why}
	}
	if _, failed := s.Errors["database"]; failed {
		return []string{"not known without the database"}
	}
	return tell()
}

func (s *status) tellDatabase() []string {
	text := s.Database.Name + ", " + s.Database.URL
	if s.fresh {
		return []string{text, "pruned has not run here yet: `pruned sweep --dry-run` shows what nothing uses"}
	}
	return []string{text}
}

func (s *status) tellStore(kind string) []string {
	for _, store := range s.Stores {
		switch {
		case store.Kind != kind:
		case store.Bound:
			return []string{store.Name + ", bound to this installation"}
		default:
			return []string{store.Name + ", not bound to this installation yet: nothing in it is removed before; `pruned sweep` tells how"}
		}
	}
	return []string{"none"}
}

func (s *status) tellDaemon() []string {
	text := s.Daemon.State
	if s.Daemon.Detail != "" {
		text += ": " + s.Daemon.Detail
	}
	if s.Daemon.Started != nil {
		text += ", started " + s.ago(*s.Daemon.Started)
	}
	return []string{text}
}

func (s *status) tellSweep() []string {
	switch sweep := s.Daemon.Sweep; {
	case s.Daemon.State == daemonNone:
		return []string{"not known: only a daemon that answers tells it"}
	case sweep == nil:
		return []string{"none since the daemon started"}
	case sweep.At == nil:
		return []string{fmt.Sprintf("%d failed since the daemon started, and none succeeded", sweep.Failures)}
	default:
		text := fmt.Sprintf("%s, in %.1fs: %s orphans, %s published, %s held", s.ago(*sweep.At), sweep.Took,
			humanize.Comma(sweep.Orphans), humanize.Comma(sweep.Published), humanize.Comma(sweep.Held))
		if sweep.Failures > 0 {
			text += fmt.Sprintf("; %d failed since", sweep.Failures)
		}
		return []string{text}
	}
}

func (s *status) tellFound() (lines []string) {
	for _, found := range s.Found {
		text := sweep.FormatCount(found.Count, sweep.DescribeFound(found.Direction))
		if found.Chunks > 0 {
			text += ", " + sweep.FormatCount(found.Chunks, "chunks")
		}
		if found.Bytes > 0 {
			text += ", " + formatBytes(found.Bytes)
		}
		lines = append(lines, text+", the first since "+roughDuration(int64(found.Oldest)))
	}
	return orNone(lines)
}

func (s *status) tellDue() []string {
	switch {
	case s.DueIn == nil:
		return []string{"nothing"}
	case *s.DueIn == 0:
		return []string{"now, with the next sweep"}
	}
	return []string{"in " + roughDuration(int64(*s.DueIn))}
}

func (s *status) tellHeld() (lines []string) {
	for _, hold := range s.Held {
		lines = append(lines,
			fmt.Sprintf("%s of %s, %s of %s, since %s: %s", humanize.Comma(hold.Found), humanize.Comma(hold.Total), hold.Direction, hold.Store,
				s.age(hold.At), hold.Reason),
			"-> pruned sweep --confirm "+hold.ID)
	}
	return orNone(lines)
}

// waitingWords say what a tombstone of each kind is about.
var waitingWords = map[string]string{repo.Bytes: "objects to remove", repo.Vectors: "files whose vectors are to be removed"}

func (s *status) tellWaiting() (lines []string) {
	for _, waiting := range s.Waiting {
		if waiting.Count == 0 {
			continue
		}
		text := sweep.FormatCount(waiting.Count, waitingWords[waiting.Kind])
		if in := int64(waiting.DueIn); in > 0 {
			text += ", the first in " + roughDuration(in)
		} else {
			text += ", the first due since " + roughDuration(-in)
		}
		if waiting.Retried > 0 {
			text += fmt.Sprintf("; %s were put off: %s", humanize.Comma(waiting.Retried), waiting.Reason)
		}
		lines = append(lines, text)
	}
	return orNone(lines)
}

func (s *status) tellTrash() []string {
	if s.fresh || s.Trash.Files == 0 {
		return []string{"empty"}
	}
	return []string{fmt.Sprintf("%s of %s can be restored, the oldest was deleted %s ago: `pruned trash list`",
		sweep.FormatCount(s.Trash.Files, "files"), formatBytes(s.Trash.Bytes), roughDuration(int64(s.Trash.Oldest)))}
}

func (s *status) tellFreed() []string {
	if s.fresh || s.Freed.Since == nil {
		return []string{"nothing"}
	}
	text := sweep.FormatCount(s.Freed.Files, "files")
	if s.Freed.Rest > 0 {
		text += ", and " + sweep.FormatCount(s.Freed.Rest, "objects of files without a row")
	}
	lines := []string{
		text + ", since " + s.Freed.Since.Local().Format(time.DateOnly),
		fmt.Sprintf("%s in the last minute, %s in the last hour, %s in the last day",
			humanize.Comma(s.Freed.Minute), humanize.Comma(s.Freed.Hour), humanize.Comma(s.Freed.Day)),
	}
	if s.Daemon != nil && s.Daemon.Started != nil {
		lines = append(lines, fmt.Sprintf("%s and %s since the daemon started", sweep.FormatCount(s.Daemon.Chunks, "chunks"), formatBytes(s.Daemon.Bytes)))
	}
	return lines
}

func (s *status) tellQueue() []string {
	if s.Queue.Absent {
		return []string{s.Queue.Stream + ", not made yet: pruned run makes it"}
	}
	text := fmt.Sprintf("%s: %s events pending, %s unacked", s.Queue.Stream, humanize.Comma(int64(s.Queue.Pending)), humanize.Comma(int64(s.Queue.Unacked)))
	if s.Queue.Oldest > 0 {
		text += ", the oldest since " + roughDuration(int64(s.Queue.Oldest))
	}
	return []string{text}
}

func (s *status) tellWork() []string {
	if s.Queue.Absent {
		return []string{"not begun yet"}
	}
	return []string{s.Queue.Work}
}

func (s *status) tellDeadLetters() []string {
	if s.Queue.DeadLetters == 0 {
		return []string{"none"}
	}
	return []string{humanize.Comma(int64(s.Queue.DeadLetters)) + ": `pruned dead list` tells why"}
}

// age is how old something is at the time of the look.
func (s *status) age(at time.Time) string {
	return roughDuration(int64(max(s.At.Sub(at), 0).Seconds()))
}

func (s *status) ago(at time.Time) string { return s.age(at) + " ago" }

// orNone tells that a list is empty.
func orNone(lines []string) []string {
	if len(lines) == 0 {
		return []string{"none"}
	}
	return lines
}

// formatBytes writes a size for people.
func formatBytes(n int64) string { return humanize.IBytes(uint64(max(n, 0))) }
