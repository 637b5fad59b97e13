package openwebui

import (
	"fmt"
	"slices"
	"strings"
)

// World is what became of the files of a Scenario.
type World struct {
	// Used must stay: a living row of some table mentions each.
	Used []File
	// Unused have a row, bytes and (where Processed) vectors, and nothing that mentions them.
	Unused []File
	// Gone were deleted by the application itself, which forgets the vectors of some.
	Gone []File

	// UsedCollections must stay, UnusedCollections go: they hold nothing of a file.
	UsedCollections, UnusedCollections []Collection
}

// File is a file that a Scenario uploaded.
type File struct {
	ID, Name, Text string
	// Place says where it was put, to tell by when it is missing.
	Place string
	// Processed files have a vector collection of their own.
	Processed bool
	// Knowledge is the id of the knowledge base that holds it at the end, or that still holds its
	// vectors when it is gone; empty if none does.
	Knowledge string
}

// Lead is the first sentence of the text. No other text has it.
func (f File) Lead() string {
	lead, _, _ := strings.Cut(f.Text, ".")
	return lead
}

// IDs returns the ids of files, sorted.
func IDs(files []File) []string {
	ids := make([]string, len(files))
	for i, file := range files {
		ids[i] = file.ID
	}
	slices.Sort(ids)
	return ids
}

// text makes a text of its own words for each number; every fourth is long enough for several
// chunks (Open WebUI cuts at 1,000 characters).
func text(number int) string {
	sentences := 8
	if number%4 == 0 {
		sentences = 60
	}
	subjects := []string{"mill", "river", "lantern", "orchard", "ferry", "quarry", "harbour"}
	list := make([]string, sentences)
	for i := range list {
		list[i] = fmt.Sprintf("Note%dx%d tells of the %s%d", number, i, subjects[i%len(subjects)], number)
	}
	return strings.Join(list, ".\n") + ".\n"
}
