package main

import "pruned/consumer/event"

// subjectFlag says what the arguments of a command name.
type subjectFlag struct {
	Type string `default:"file" enum:"file,collection,points" help:"What is named: file, collection (of the vector store, by its name), points (COLLECTION/ID)."`
}

// eventTypes are the types of the events about each.
var eventTypes = map[string]string{"file": event.FileOrphaned, "collection": event.CollectionOrphaned, "points": event.PointsOrphaned}

func (f subjectFlag) eventType() string { return eventTypes[f.Type] }

// subjectOf is what events of a type are about.
func subjectOf(typ string) string {
	for name, is := range eventTypes {
		if is == typ {
			return name
		}
	}
	return "file"
}
