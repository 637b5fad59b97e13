package refindex

import (
	"encoding/hex"
	"math"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"pruned/repo/mention"
)

// Encodings: what is in a bytea is found in its text, in an array's as well.
func TestEncodingsOfBytea(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"":                   "",
		`a\\b`:               `a\b`,
		`\000\001\377A\134`:  "\x00\x01\xffA\\",
		`ends in a \`:        `ends in a \`,
		`no octal \899 \400`: `no octal \899 \400`,
	} {
		require.Equal(t, want, string(unescapeBytea([]byte(text))), text)
	}
	id := "0f8fad5b-d9cb-469f-a165-70867728950e"
	var escaped strings.Builder
	raw, err := hex.DecodeString(strings.ReplaceAll(id, "-", ""))
	require.NoError(t, err)
	for _, b := range raw {
		escaped.WriteString(`\` + string([]byte{'0' + b>>6, '0' + b>>3&7, '0' + b&7}))
	}
	for typ, text := range map[string]string{
		"bytea": escaped.String(), "bytea[]": `{"abc","` + strings.ReplaceAll(escaped.String(), `\`, `\\`) + `"}`,
	} {
		found := false
		finder := mention.NewFinder([]string{id})
		(&column{typ: typ, binary: true}).eachCounted([]byte(text), func(part []byte) { finder.Find(part, func(string) { found = true }) })
		require.True(t, found, typ)
	}
}

func TestFetchesAreBoundByBytes(t *testing.T) {
	t.Parallel()
	require.Equal(t, 64, nextFetch(16, 0))
	require.Equal(t, 1000, nextFetch(1000, 1000))
	require.Equal(t, 19, nextFetch(16, 16*212<<10))
	require.Equal(t, 1, nextFetch(16, math.MaxInt32))
	require.Equal(t, 4, nextFetch(1, 100))
}
