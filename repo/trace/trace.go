// Package trace says where a text still occurs: the id of a user, a file, a chat or a
// knowledge base that somebody wants forgotten.
//
// Its central idea is that a search tells places and never contents, and what it could
// not search as plainly as what it found: only then is "nowhere" an answer. It knows the
// ways in which an id is written, and how a file of SQLite is searched; every store
// searches itself. It imports nothing of this program.
package trace

import "context"

// Place is where a text occurs.
type Place struct {
	Store  string `json:"store"`
	Table  string `json:"table"`  // or collection, folder, stream
	Row    string `json:"row"`    // its key, never its content
	Column string `json:"column"` // or key of metadata, part of a message
	Count  int64  `json:"count"`
}

// Part is a part of a store, as a table is of a database.
type Part struct {
	Store string `json:"store"`
	Name  string `json:"name"`
}

// Gap is a part that could not be searched.
type Gap struct {
	Part
	Why string `json:"why"`
}

// Search is a search under way.
type Search struct {
	Text
	Each     func(Place) error                    // is called for each place; its failure ends the search
	Progress func(part string, done, total int64) // zero as total: unknown

	Found    int64 // places
	Searched []Part
	Gaps     []Gap
}

// Searcher is a store that can be searched. What of it cannot be is a gap; an error is a
// failure of the whole.
type Searcher interface {
	Trace(ctx context.Context, s *Search) error
}

// add tells a place. The keys of some tables are long.
func (s *Search) add(p Place) error {
	const longestKey = 200
	if len(p.Row) > longestKey {
		p.Row = p.Row[:longestKey] + "..."
	}
	s.Found++
	return s.Each(p)
}

// AddCount tells a place, unless nothing was found there.
func (s *Search) AddCount(p Place) error {
	if p.Count == 0 {
		return nil
	}
	return s.add(p)
}

// NoteSearched notes a part that was searched to its end.
func (s *Search) NoteSearched(store, name string) {
	s.Searched = append(s.Searched, Part{store, name})
}

// NoteGap notes a part that was not.
func (s *Search) NoteGap(store, name string, why error) {
	s.Gaps = append(s.Gaps, Gap{Part{store, name}, why.Error()})
}
