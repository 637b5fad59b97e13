package main

import (
	"cmp"
	"fmt"
	"strings"
	"unicode"

	"github.com/dustin/go-humanize"

	"pruned/consumer/sweep"
)

// printReport prints where the storage is: a table for each part that was asked for, and
// what is remarkable.
func (u *usageReport) printReport(c *command, by string) error {
	if c.isJSON() {
		return c.printObject(u)
	}
	if by == "" || by == "kind" {
		if err := u.printKinds(c); err != nil {
			return err
		}
	}
	if by == "" {
		fmt.Fprintln(c.stdout)
	}
	if by == "" || by == "user" {
		if err := printOwners(c, "USER", u.Users, u.UserCount); err != nil {
			return err
		}
	}
	if by == "" {
		fmt.Fprintln(c.stdout)
	}
	if by == "" || by == "knowledge" {
		if err := printOwners(c, "KNOWLEDGE BASE", u.Knowledge, u.KnowledgeCount); err != nil {
			return err
		}
	}
	return u.printNotes(c)
}

// notCountedCell stands for a figure that is missing; why is told below the tables.
const notCountedCell = "not counted"

func countCell(n *int64, unit string) string {
	if n == nil {
		return notCountedCell
	}
	return sweep.FormatCount(*n, unit)
}

func bytesCell(n *int64) string {
	if n == nil {
		return notCountedCell
	}
	return bytesText(*n)
}

// printKinds sets parts of another kind in.
func (u *usageReport) printKinds(c *command) error {
	return c.printTable(func(line func(...any)) {
		line("KIND", "NUMBER", "ON DISK", "WHERE")
		for _, k := range u.Kinds {
			name, count := k.Kind, ""
			if k.In != "" {
				name = "  " + name
			}
			if k.Unit != "" {
				count = countCell(k.Count, k.Unit)
			}
			line(name, count, bytesCell(k.Bytes), k.Where)
		}
	})
}

func printOwners(c *command, what string, owners []*useOf, all int) error {
	return c.printTable(func(line func(...any)) {
		line(what, "NAME", "FILES", "CHUNKS", "BYTES", "TEXT", "MISSING")
		for _, o := range owners {
			name := o.Name
			if o.Gone {
				name = "(gone)"
			}
			line(cmp.Or(o.ID, "(nobody)"), cellText(name), countCell(o.Files, "files"), countCell(o.Chunks, "chunks"), bytesCell(o.Bytes), bytesCell(o.Text), countCell(o.Missing, "files"))
		}
		if rest := all - len(owners); rest > 0 {
			line(fmt.Sprintf("and %s more: --limit 0 lists all", humanize.Comma(int64(rest))))
		}
	})
}

// cellText keeps a name that somebody chose in its cell.
func cellText(name string) string {
	const longest = 40
	name = strings.Join(strings.FieldsFunc(name, unicode.IsControl), " ")
	if runes := []rune(name); len(runes) > longest {
		name = string(runes[:longest-3]) + "..."
	}
	return name
}

// printNotes tells what is remarkable, and what could not be counted.
func (u *usageReport) printNotes(c *command) error {
	var notes []string
	if u.Missing != nil && u.Missing.Rows > 0 {
		examples := strings.Join(u.Missing.Examples, ", ")
		if u.Missing.Rows > int64(len(u.Missing.Examples)) {
			examples += ", ..."
		}
		notes = append(notes, fmt.Sprintf("missing bytes: of %s: %s", countCell(&u.Missing.Rows, "rows"), examples))
	}
	if u.Ownerless != nil && *u.Ownerless > 0 {
		notes = append(notes, fmt.Sprintf("in collections of no file, knowledge base or user that has a row: %s", countCell(u.Ownerless, "chunks")))
	}
	if u.Repeated.Contents > 0 {
		notes = append(notes, fmt.Sprintf("stored more than once: %s, in %s; the copies take %s, and are left alone",
			countCell(&u.Repeated.Contents, "contents"), countCell(&u.Repeated.Rows, "rows"), bytesCell(u.Repeated.Bytes)))
		for _, r := range u.Repeated.Examples {
			notes = append(notes, fmt.Sprintf("  %s, %s more: %s", countCell(&r.Rows, "rows"), bytesCell(r.Bytes), strings.Join(r.Files, ", ")))
		}
	}
	for _, gap := range u.NotCounted {
		notes = append(notes, fmt.Sprintf("not counted: %s: %s", gap.Figure, gap.Why))
	}
	if len(notes) == 0 {
		return nil
	}
	_, err := fmt.Fprintf(c.stdout, "\n%s\n", strings.Join(notes, "\n"))
	return err
}
