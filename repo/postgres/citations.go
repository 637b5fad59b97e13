package postgres

import (
	"strings"

	"pruned/repo/mention"
)

// splitPaths cuts paths into their keys.
func splitPaths(paths []string) (split [][]string) {
	for _, path := range paths {
		split = append(split, strings.Split(path, "."))
	}
	return split
}

// counted calls yield with the parts of the column's text in which a mention
// counts.
func (c *column) counted(text []byte, yield func(part []byte)) {
	if c.binary {
		c.readings(text, yield)
		return
	}
	if len(c.excluded) == 0 {
		yield(text)
		return
	}
	mention.Outside(text, c.excluded, yield)
}

// find calls yield with each id that counts in the text of a column.
func (r *relation) find(finder *mention.Finder, num int, text []byte, yield func(id string)) {
	for i := range r.columns {
		if r.columns[i].num == num {
			r.columns[i].counted(text, func(part []byte) { finder.Find(part, yield) })
		}
	}
}
