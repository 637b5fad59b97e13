package main

import (
	"cmp"
	"fmt"
	"strings"
	"time"

	"pruned/cmd/pruned/page"
	"pruned/consumer/event"
	"pruned/consumer/sweep"
	"pruned/repo"
	"pruned/repo/openwebui"
)

// printText prints an explanation for people, a line a place.
func (e *explanation) printText(c *command) error {
	return c.printTable(func(line func(...any)) {
		for _, fact := range e.listFacts() {
			line(fact.Name, fact.Text)
		}
	})
}

// listFacts lists what is known, a place each.
func (e *explanation) listFacts() (facts []page.Fact) {
	tell := func(name, text string) { facts = append(facts, page.Fact{Name: name, Text: text}) }
	tell(subjectOf(e.typ), printableText(e.ID, 0))
	if e.exists {
		tell("name", orDash(printableText(e.Filename, 0)))
		tell("owner", orDash(describeUser(e.Owner, e.OwnerName)))
	}
	tell("verdict", e.describeVerdict())
	if e.exists {
		e.tellRowFacts(tell)
	}
	if e.Held != nil {
		tell("held", "by sweeps: "+describeHold(*e.Held))
	}
	if e.Keep != nil {
		tell("reference", describeKeep(*e.Keep))
	}
	for _, m := range e.References {
		name := map[bool]string{true: "citation", false: "reference"}[m.Cites]
		facts = append(facts, page.Fact{Name: name, Text: e.describeMention(m), Table: m.Table, Row: m.Row})
	}
	for _, v := range e.Vectors {
		tell("vectors", v.Name+", "+sweep.FormatCount(v.Chunks, "chunks"))
	}
	for _, o := range e.Bytes {
		tell("bytes", printableText(o.Name, 0)+", "+formatBytes(o.Size))
	}
	for _, l := range e.Ledger {
		tell("ledger", describeEntry(l))
	}
	if e.Trash != nil {
		tell("trash", e.describeTrash())
	}
	return facts
}

// describeVerdict says what would become of it, and why: of a file that is there "deleted"
// alone would read as if that had happened.
func (e *explanation) describeVerdict() string {
	if e.exists && e.Verdict == event.Deleted && e.Why == "" {
		return "deleted, if an event about it came now: nothing mentions it"
	}
	return strings.TrimSuffix(fmt.Sprintf("%s: %s", e.Verdict, e.Why), ": ")
}

func (e *explanation) tellRowFacts(tell func(name, text string)) {
	tell("path", printableText(e.Path, 0))
	if e.Size > 0 {
		tell("size", formatBytes(e.Size))
	}
	tell("age", formatAge(e.AgeS))
	tell("status", orDash(printableText(e.Status, 0)))
	if e.UnreferencedS != nil {
		tell("unreferenced", "for "+formatAge(*e.UnreferencedS))
	}
	switch {
	case e.DueInS == nil:
	case *e.DueInS > 0:
		tell("due", "in "+formatAge(*e.DueInS))
	default:
		tell("due", "now")
	}
}

// formatAge writes seconds in their largest unit.
func formatAge(seconds float64) string { return roughDuration(int64(seconds)) }

// describeUser names a user, with the id.
func describeUser(id, name string) string {
	if name == "" {
		return printableText(id, 0)
	}
	return fmt.Sprintf("%s (%s)", printableText(name, 0), printableText(id, 0))
}

// describeKeep says until when and why somebody keeps the file.
func describeKeep(k repo.Keep) string {
	text := "somebody keeps it (`pruned keep`) for ever"
	if k.Until != nil {
		text = fmt.Sprintf("somebody keeps it (`pruned keep`) until %s", k.Until.Local().Format(time.DateTime))
	}
	if k.Note != "" {
		text += ": " + printableText(k.Note, 0)
	}
	return text
}

// describeMention says what mentions the file, whose that is, and where in it.
func (e *explanation) describeMention(m repo.Mention) string {
	place := fmt.Sprintf("%s %s, column %s", m.Table, printableText(m.Row, 0), m.Column)
	if m.Path != "" {
		place += ", " + printableText(m.Path, 0)
	}
	if m.Title == "" && m.Owner == "" {
		return place
	}
	what := "chat"
	if title, known := openwebui.FindTitle(m.Table); known {
		what = title.What
	}
	return fmt.Sprintf("%s %q of user %s: %s", what, printableText(m.Title, maxName), orDash(describeUser(m.Owner, e.users[m.Owner])), place)
}

// describeTrash says until when the file can be taken back, and how.
func (e *explanation) describeTrash() string {
	options := ""
	text := fmt.Sprintf("until %s (in %s)", e.Trash.Until.Local().Format(time.DateTime), timeLeft(*e.Trash))
	switch {
	case e.exists:
		return text + "; a row has this id again, beside which nothing is restored"
	case e.Trash.BytesGone:
		text, options = text+", its bytes are gone", "--without-bytes "
	}
	return fmt.Sprintf("%s: `pruned restore %s%s` takes it back", text, options, printableText(e.ID, 0))
}

// describeEntry says what was deleted, when and by which event.
func describeEntry(l repo.Entry) string {
	text := fmt.Sprintf("%s %s (%s ago)", l.Outcome, l.At.Local().Format(time.DateTime), formatAge(time.Since(l.At).Seconds()))
	if name := objectTitle(l.Path); name != "" {
		text += ", " + printableText(name, 0)
	}
	by := printableText(l.Source, 0)
	if l.EventID != "" { // an operator's command has none
		by = "event " + printableText(l.EventID, 0) + " of " + by
	}
	text += fmt.Sprintf(", by %s, because: %s", by, cmp.Or(printableText(l.Reason, 0), "-"))
	if l.Note != "" {
		text += "; " + l.Note
	}
	return text
}
