package repotest

import (
	"slices"
	"testing"
)

// Used is a file that the application uses, and what tells how.
type Used struct{ ID, By string }

// World is what BuildWorld makes: files in use in every way that the release at hand has, and
// as many that were used in each of these ways, and are no more.
type World struct {
	Used   []Used
	Unused []string
}

// BuildWorld fills the database of an engine, of which it needs nothing but Exec and Columns.
func BuildWorld(t testing.TB, e Engine) (w World) {
	t.Helper()
	e.parents(t)
	for _, p := range e.places(t) {
		id := e.file(t, nil)
		e.put(t, p, id)
		w.Used = append(w.Used, Used{id, p.String()})

		id = e.file(t, nil)
		e.put(t, p, id)()
		w.Unused = append(w.Unused, id)
	}
	return w
}

// IDs are those of all files.
func (w World) IDs() []string {
	ids := slices.Clone(w.Unused)
	for _, used := range w.Used {
		ids = append(ids, used.ID)
	}
	return ids
}
