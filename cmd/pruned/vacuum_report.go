package main

import (
	"fmt"
	"strings"
	"time"

	"github.com/dustin/go-humanize"
)

// printReport prints what a vacuum came to, or would.
func (v *vacuumReport) printReport(c *command) error {
	if c.isJSON() {
		return c.printObject(v)
	}
	err := c.printTable(func(line func(...any)) {
		v.printFiles(line)
		v.printTables(line)
	})
	if err != nil || v.Note == "" {
		return err
	}
	_, err = fmt.Fprintln(c.stdout, v.Note)
	return err
}

func (v *vacuumReport) printFiles(line func(...any)) {
	if len(v.Files) == 0 {
		return
	}
	line("FILE", "BEFORE", "FREE INSIDE", "AFTER", "GIVEN BACK", "TOOK")
	for _, f := range v.Files {
		after, back, took := "", "", ""
		if f.After != nil {
			after, back, took = bytesText(*f.After), bytesText(f.Before-*f.After), secondsText(f.TookS)
		}
		line(f.File, bytesText(f.Before), bytesText(f.Inside), after, back, took)
		for _, note := range f.notes(v.DryRun) {
			line("", "-> "+note)
		}
	}
}

func (f *fileReport) notes(dry bool) (notes []string) {
	if dry {
		notes = append(notes, fmt.Sprintf("would give back %s or more in about %s, and needs %s free meanwhile",
			bytesText(f.Inside), roughWait(time.Duration(f.ExpectedS*float64(time.Second))), bytesText(f.Needs)))
	}
	if dry && len(f.OpenIn) > 0 && f.Error == "" {
		notes = append(notes, "it is open in "+strings.Join(f.OpenIn, ", "))
	}
	if f.LogKept {
		notes = append(notes, "another process still reads the log; the disk has it back when the application begins the log anew")
	}
	if f.Error != "" {
		notes = append(notes, f.Error)
	}
	return notes
}

func (v *vacuumReport) printTables(line func(...any)) {
	if len(v.Tables) == 0 {
		return
	}
	line("TABLE", "BEFORE", "DEAD ROWS", "AFTER", "LEFT", "TOOK")
	for _, t := range v.Tables {
		after, dead, took := "", "", ""
		if t.After != nil {
			after, took = bytesText(*t.After), secondsText(t.TookS)
		}
		if t.DeadAfter != nil {
			dead = humanize.Comma(*t.DeadAfter)
		}
		line(t.Table, bytesText(t.Before), humanize.Comma(t.DeadRows), after, dead, took)
		for _, note := range []string{t.Warning, t.Error, t.Remedy} {
			if note != "" {
				line("", "-> "+note)
			}
		}
	}
}

func bytesText(n int64) string { return humanize.IBytes(uint64(max(n, 0))) }

func secondsText(seconds float64) string {
	return time.Duration(seconds * float64(time.Second)).Round(time.Millisecond).String()
}
