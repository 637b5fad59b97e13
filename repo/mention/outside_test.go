package mention_test

import (
	"bytes"
	"encoding/json"
	"maps"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"pruned/repo/mention"
	"pruned/repo/openwebui"
)

// outside is what of a text lies at none of the paths, with null in their place.
func outside(text string, paths [][]string) string {
	var parts [][]byte
	mention.Outside([]byte(text), paths, func(part []byte) { parts = append(parts, part) })
	return string(bytes.Join(parts, []byte("null")))
}

func TestOutside(t *testing.T) {
	t.Parallel()
	paths, whole := openwebui.CitationsOf("chat", "chat")
	require.False(t, whole)
	for text, want := range map[string]string{
		`{"history":{"messages":{"m":{"sources":[{"id":1}],"files":[2]}}}}`: `{"history":{"messages":{"m":{"sources":null,"files":[2]}}}}`,
		` {"messages" : [ {"sources" : "s" , "a":1} , {"sources":{}} ] } `:  ` {"messages" : [ {"sources" : null , "a":1} , {"sources":null} ] } `,
		// A message that is called sources is a message.
		`{"history":{"messages":{"sources":{"files":[1],"sources":[2]}}}}`: `{"history":{"messages":{"sources":{"files":[1],"sources":null}}}}`,
		// Elsewhere a key of that name says nothing about citations.
		`{"sources":[1],"files":[{"sources":[2]}]}`:                     `{"sources":[1],"files":[{"sources":[2]}]}`,
		`{"history":{"messages":{"m":{"files":[{"sources":[1]}]}}}}`:    `{"history":{"messages":{"m":{"files":[{"sources":[1]}]}}}}`,
		`{"messages":[{"content":"\"sources\": \\","sources":[1]}]}`:    `{"messages":[{"content":"\"sources\": \\","sources":null}]}`,
		`{"messages":[{"sources":[1],"sources":[2]}]}`:                  `{"messages":[{"sources":null,"sources":null}]}`,
		`{"messages":[{"\u0073ources":[1]}]}`:                           `{"messages":[{"\u0073ources":[1]}]}`,
		`{"messages":[{"sources":[1]}]} no JSON`:                        `{"messages":[{"sources":[1]}]} no JSON`,
		`{"messages":[{"sources":[1]}`:                                  `{"messages":[{"sources":[1]}`,
		`"sources"`:                                                     `"sources"`,
		`{"messages":"sources","sources":{"messages":[{"sources":1}]}}`: `{"messages":"sources","sources":{"messages":[{"sources":1}]}}`,
		``: ``,
	} {
		require.Equal(t, want, outside(text, paths), text)
	}
	_, whole = openwebui.CitationsOf("chat_message", "sources")
	require.True(t, whole)
	paths, whole = openwebui.CitationsOf("note", "data")
	require.Empty(t, paths)
	require.False(t, whole)
}

// What is left out is what a parser that builds trees leaves out.
func TestOutsideIsWhatAParserSays(t *testing.T) {
	t.Parallel()
	paths, _ := openwebui.CitationsOf("chat", "chat")
	key := rapid.SampledFrom([]string{"history", "messages", "sources", "files", "m1", `q"uote`, `back\`, "ü", ""})
	var value func(depth int) *rapid.Generator[any]
	value = func(depth int) *rapid.Generator[any] {
		leaf := rapid.OneOf(
			rapid.Just[any](nil), rapid.Just[any](true),
			rapid.Map(rapid.Float64Range(-1e6, 1e6), func(f float64) any { return f }),
			rapid.Map(rapid.SampledFrom([]string{id, `"sources":[`, `\`, `\\"`, "}", "\n\x00€", ""}), func(s string) any { return s }),
		)
		if depth == 0 {
			return leaf
		}
		return rapid.OneOf(leaf,
			rapid.Map(rapid.MapOfN(key, value(depth-1), 0, 4), func(m map[string]any) any { return m }),
			rapid.Map(rapid.SliceOfN(value(depth-1), 0, 4), func(s []any) any { return s }))
	}
	rapid.Check(t, func(t *rapid.T) {
		message := rapid.MapOfN(key, value(3), 0, 4)
		chat := rapid.OneOf(value(5), rapid.Custom(func(t *rapid.T) any {
			return map[string]any{
				"history":  map[string]any{"messages": rapid.MapOfN(key, message, 0, 4).Draw(t, "history")},
				"messages": rapid.SliceOfN(message, 0, 3).Draw(t, "messages"),
				"sources":  value(2).Draw(t, "sources"),
			}
		})).Draw(t, "chat")
		text, err := json.Marshal(chat)
		require.NoError(t, err)
		if rapid.Bool().Draw(t, "spaced") {
			var spaced bytes.Buffer
			require.NoError(t, json.Indent(&spaced, text, " \t", "\r\n"))
			text = spaced.Bytes()
		}
		var want, got any
		require.NoError(t, json.Unmarshal(text, &want))
		require.NoError(t, json.Unmarshal([]byte(outside(string(text), paths)), &got), outside(string(text), paths))
		for _, path := range paths {
			want = without(want, path)
		}
		require.Equal(t, want, got)
	})
}

// without is the tree with nil at a path.
func without(tree any, path []string) any {
	if len(path) == 0 {
		return nil
	}
	switch v := tree.(type) {
	case map[string]any:
		v = maps.Clone(v)
		for key := range v {
			if path[0] == "*" || path[0] == key {
				v[key] = without(v[key], path[1:])
			}
		}
		return v
	case []any:
		v = slices.Clone(v)
		for i := range v {
			if path[0] == "*" {
				v[i] = without(v[i], path[1:])
			}
		}
		return v
	}
	return tree
}

func FuzzOutside(f *testing.F) {
	paths, _ := openwebui.CitationsOf("chat", "chat")
	f.Add([]byte(`{"history":{"messages":{"m":{"sources":[{"id":1}]}}},"messages":[{"sources":"\\"}]}`))
	f.Add([]byte(`{"sources":[1,2.5e3,true,null,"\""]`))
	f.Fuzz(func(t *testing.T, text []byte) {
		n := 0
		mention.Outside(text, paths, func(part []byte) { n += len(part) })
		require.LessOrEqual(t, n, len(text))
		if !json.Valid(text) {
			require.Equal(t, string(text), outside(string(text), paths))
			return
		}
		require.True(t, json.Valid([]byte(outside(string(text), paths))))
	})
}

func TestPlaces(t *testing.T) {
	t.Parallel()
	is := func(text []byte) bool { return strings.Contains(string(text), id) }
	at := func(table, column, text string) (found []string) {
		citing, whole := openwebui.CitationsOf(table, column)
		for _, p := range mention.Places([]byte(text), citing, whole, is) {
			found = append(found, p.Path+" "+strconv.FormatBool(p.Cites))
		}
		return found
	}
	chat := `{"history":{"messages":{"m.1":{"files":[{"id":"` + id + `"}],"sources":[{"source":{"id":"` + id + `"}}]}}}}`
	require.Equal(t, []string{"history.messages.m.1.files[0].id false", "history.messages.m.1.sources[0].source.id true"}, at("chat", "chat", chat))
	require.Equal(t, []string{"history.messages.m.1.files[0].id false", "history.messages.m.1.sources[0].source.id false"}, at("note", "data", chat))
	require.Equal(t, []string{"[0].id true"}, at("chat_message", "sources", `[{"id":"`+id+`"}]`))
	require.Equal(t, []string{" false"}, at("chat", "chat", "sources "+id))
}
