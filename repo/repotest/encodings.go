package repotest

import (
	"encoding/binary"
	"maps"
	"slices"
	"strings"
	"testing"
	"unicode/utf16"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"
)

// encodingsKeep: a mention keeps its file in each encoding that is cheap to read: of
// hyphens, of digits side by side, of binary values. Each engine has a type for those.
func encodingsKeep(t *testing.T, e Engine) {
	e.Exec(t, `CREATE TABLE extra (id text PRIMARY KEY, v `+e.Binary+`)`)
	raw := func(id string) []byte { u := uuid.MustParse(id); return u[:] }
	wide := func(order binary.AppendByteOrder) func(string) any {
		return func(id string) any {
			var data []byte
			for _, unit := range utf16.Encode([]rune("file " + id + "\n")) {
				data = order.AppendUint16(data, unit)
			}
			return data
		}
	}
	other := uuid.NewString()
	values := map[string]func(id string) any{
		"text":                     func(id string) any { return []byte("see " + id) },
		"16 bytes":                 func(id string) any { return raw(id) },
		"16 bytes side by side":    func(id string) any { return slices.Concat(raw(other), raw(id), raw(other)) },
		"16 bytes within a record": func(id string) any { return slices.Concat([]byte{0x81, '\\', 0xc4, 0x10}, raw(id), []byte("\x00end")) },
		"UTF-16 little end first":  wide(binary.LittleEndian),
		"UTF-16 great end first":   wide(binary.BigEndian),
	}
	texts := map[string]string{
		"digits side by side":           bare(other) + "%s",
		"digits side by side beside x1": "\\u201c%s" + bare(other) + "\\u201d",
		"hyphens escaped by JSON":       `{"id":"` + "%e" + `"}`,
		"hyphens escaped by a URL":      "/files/" + "%p" + "/content",
	}
	ids := map[string]string{}
	for name := range values {
		ids[name] = e.file(t, nil)
	}
	for name := range texts {
		ids[name] = e.file(t, nil)
	}
	all := slices.Collect(maps.Values(ids))
	lone := e.file(t, nil)
	e.refresh(t)
	e.free(t, append(all, lone)...)
	for name, value := range values {
		e.Exec(t, `INSERT INTO extra (id, v) VALUES ($1, $2)`, name, value(ids[name]))
	}
	for name, text := range texts {
		id := ids[name]
		text = strings.NewReplacer("%s", bare(id), "%e", strings.ReplaceAll(id, "-", `\u002d`), "%p", strings.ReplaceAll(id, "-", "%2D")).Replace(text)
		e.insert(t, "note", row{"title": text})
	}
	for round := range 2 {
		found := e.look(t, append(all, lone)...)
		for name, id := range ids {
			require.Contains(t, found.Referenced, id, "%s, round %d", name, round)
		}
		require.NotContains(t, found.Referenced, lone)
		e.settle(t, all...)
	}
	e.begin(t)
	e.requireCandidates(t, "row", lone)
	e.Exec(t, `DELETE FROM extra`)
	e.Exec(t, `DELETE FROM note`)
	e.free(t, all...)
}
