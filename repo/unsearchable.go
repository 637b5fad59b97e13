package repo

import (
	"fmt"

	"pruned/repo/mention"
)

// Unsearchable are the files that are always kept, used or not: their ids may be
// written in other ways (spaces, digits only, true), so that no search can tell
// whether they are in use.
type Unsearchable struct {
	Files    int64    `json:"files"`
	Examples []string `json:"examples"` // ids, up to three
}

// OnlySearchable are those of these ids of which a search can tell whether they are in use.
func OnlySearchable(ids []string) []string {
	searchable := make([]string, 0, len(ids))
	for _, id := range ids {
		if mention.Searchable(mention.Token(id)) {
			searchable = append(searchable, id)
		}
	}
	return searchable
}

const unsearchableExamples = 3

// Add counts a file whose id cannot be searched for.
func (u *Unsearchable) Add(id string) {
	if mention.Searchable(mention.Token(id)) {
		return
	}
	if u.Files++; len(u.Examples) < unsearchableExamples {
		u.Examples = append(u.Examples, id)
	}
}

// String names them, or is empty where there are none.
func (u Unsearchable) String() string {
	if u.Files == 0 {
		return ""
	}
	return fmt.Sprintf("%d files are always kept, since no search can tell whether their ids are in use, for example %q", u.Files, u.Examples)
}
