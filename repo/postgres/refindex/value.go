package refindex

import (
	"bytes"
	"strings"

	"pruned/repo/mention"
)

// eachReading calls yield with each text that a value of the column may stand for. A bytea
// comes in the format escape, an array of them with its backslashes escaped once more.
func (c *column) eachReading(text []byte, yield func(part []byte)) {
	if !c.binary {
		yield(text)
		return
	}
	data := unescapeBytea(text)
	if strings.HasSuffix(c.typ, "[]") {
		data = unescapeBytea(data)
	}
	mention.Readings(data, yield)
}

// unescapeBytea reads the format escape: a backslash is doubled, and an unprintable byte
// is a backslash and three octal digits.
func unescapeBytea(text []byte) []byte {
	if bytes.IndexByte(text, '\\') < 0 {
		return text
	}
	data := make([]byte, 0, len(text))
	for len(text) > 0 {
		switch {
		case text[0] == '\\' && len(text) > 1 && text[1] == '\\':
			data, text = append(data, '\\'), text[2:]
		case text[0] == '\\' && len(text) > 3 && isOctal(text[1:4]):
			data, text = append(data, (text[1]-'0')<<6|(text[2]-'0')<<3|(text[3]-'0')), text[4:]
		default:
			data, text = append(data, text[0]), text[1:]
		}
	}
	return data
}

func isOctal(digits []byte) bool {
	return digits[0] >= '0' && digits[0] <= '3' && digits[1] >= '0' && digits[1] <= '7' && digits[2] >= '0' && digits[2] <= '7'
}

// splitPaths cuts paths into their keys.
func splitPaths(paths []string) (split [][]string) {
	for _, path := range paths {
		split = append(split, strings.Split(path, "."))
	}
	return split
}

// eachCounted calls yield with the parts of the column's text in which a mention
// counts.
func (c *column) eachCounted(text []byte, yield func(part []byte)) {
	if c.binary {
		c.eachReading(text, yield)
		return
	}
	if len(c.excluded) == 0 {
		yield(text)
		return
	}
	mention.Outside(text, c.excluded, yield)
}

// findIDs calls yield with each id that counts in the text of a column.
func (r *relation) findIDs(finder *mention.Finder, num int, text []byte, yield func(id string)) {
	for i := range r.columns {
		if r.columns[i].num == num {
			r.columns[i].eachCounted(text, func(part []byte) { finder.Find(part, yield) })
		}
	}
}
