package mention

import (
	"bytes"
	"encoding/json"
	"slices"
)

// Outside calls yield with the parts of a text that lie at none of the paths of
// its JSON, in order. A text that is no JSON is one part, whole, and so is what
// lies under a key that is written in another way (\u0073ources): when unsure, a
// mention counts. It makes no copy and no tree, since a chat may be 50 MB.
func Outside(text []byte, paths [][]string, yield func(part []byte)) {
	at := 0
	for _, cut := range cuts(text, paths) {
		yield(text[at:cut[0]])
		at = cut[1]
	}
	yield(text[at:])
}

// cuts are where in a JSON text the values at the paths begin and end.
func cuts(text []byte, paths [][]string) [][2]int {
	if !mayHold(text, paths) || !json.Valid(text) {
		return nil
	}
	c := &cutter{text: text}
	c.value(paths)
	return c.cuts
}

// mayHold spares most texts to be read as JSON.
func mayHold(text []byte, paths [][]string) bool {
	return slices.ContainsFunc(paths, func(path []string) bool {
		return bytes.Contains(text, []byte(`"`+path[len(path)-1]+`"`))
	})
}

// cutter goes through a text that is known to be JSON.
type cutter struct {
	text []byte
	at   int
	cuts [][2]int
}

// value goes over one value, and cuts out what lies at the paths, which begin
// there.
func (c *cutter) value(paths [][]string) {
	c.space()
	switch start := c.at; {
	case slices.ContainsFunc(paths, func(p []string) bool { return len(p) == 0 }):
		c.skip()
		c.cuts = append(c.cuts, [2]int{start, c.at})
	case len(paths) > 0 && c.text[c.at] == '{':
		c.members('}', paths)
	case len(paths) > 0 && c.text[c.at] == '[':
		c.members(']', paths)
	default:
		c.skip()
	}
}

// members goes over an object or an array, up to its last byte.
func (c *cutter) members(last byte, paths [][]string) {
	for c.at++; ; {
		c.space()
		switch c.text[c.at] {
		case last:
			c.at++
			return
		case ',':
			c.at++
			continue
		}
		var key []byte
		if last == '}' {
			key = c.str()
			c.space()
			c.at++ // the colon
		}
		c.value(below(paths, key))
	}
}

// below are the paths that go on under a key; nil is that of an array's element.
func below(paths [][]string, key []byte) (rest [][]string) {
	for _, p := range paths {
		if p[0] == "*" || key != nil && p[0] == string(key) {
			rest = append(rest, p[1:])
		}
	}
	return rest
}

// skip goes over one value.
func (c *cutter) skip() {
	for depth := 0; c.at < len(c.text); {
		switch c.text[c.at] {
		case '"':
			c.str()
		case '{', '[':
			depth++
			c.at++
		case '}', ']':
			depth--
			c.at++
		case ',', ':', ' ', '\t', '\r', '\n':
			c.at++
			continue
		default:
			c.scalar()
		}
		if depth == 0 {
			return
		}
	}
}

// scalar goes over a number, true, false or null.
func (c *cutter) scalar() {
	if n := bytes.IndexAny(c.text[c.at:], ",]} \t\r\n"); n >= 0 {
		c.at += n
		return
	}
	c.at = len(c.text)
}

// str goes over a string and returns what is between its quotes, as written.
func (c *cutter) str() []byte {
	start := c.at + 1
	for c.at = start; ; c.at++ {
		c.at += bytes.IndexByte(c.text[c.at:], '"')
		escapes := 0
		for c.text[c.at-1-escapes] == '\\' {
			escapes++
		}
		if escapes%2 == 0 {
			c.at++
			return c.text[start : c.at-1]
		}
	}
}

func (c *cutter) space() {
	for c.at < len(c.text) && (c.text[c.at] == ' ' || c.text[c.at] == '\n' || c.text[c.at] == '\t' || c.text[c.at] == '\r') {
		c.at++
	}
}

// Place is one place in a text that mentions a file.
type Place struct {
	Path  string // within JSON; empty elsewhere
	Cites bool   // it lies where an answer's citations are
}

// Places tells every place in the text of a column that mention holds for. citing are
// the paths of citations in it; whole says that it holds nothing else. A text that is
// no JSON has one place, without a path.
func Places(text []byte, citing [][]string, whole bool, mention func([]byte) bool) []Place {
	paths := JSONPaths(text, mention)
	if len(paths) == 0 {
		paths = []string{""}
	}
	var uses []string
	if len(citing) > 0 {
		uses = JSONPaths(blanked(text, citing), mention)
	}
	found := make([]Place, 0, len(paths))
	for _, path := range paths {
		found = append(found, Place{path, whole || len(citing) > 0 && path != "" && !slices.Contains(uses, path)})
	}
	return found
}

// blanked is a text with null at the paths.
func blanked(text []byte, paths [][]string) []byte {
	var parts [][]byte
	Outside(text, paths, func(part []byte) { parts = append(parts, part) })
	return bytes.Join(parts, []byte("null"))
}
