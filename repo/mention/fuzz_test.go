package mention_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"pruned/repo/mention"
)

// An id is found whatever stands right before and behind it, in both cases of its letters,
// by who looks for one and by who reads all.
func FuzzScan(f *testing.F) {
	const id = "7f3c9a52-1d4e-4b8a-9c06-e2f5a1b7d890"
	for _, seed := range []string{"", "\"", "a", "7f3c9a52-1d4e-4b8a-9c06-", "-", "\\u002", "0", "\xff", id[:35], "%2", strings.ReplaceAll(id, "-", "")} {
		f.Add([]byte(seed), []byte(seed))
	}
	f.Fuzz(func(t *testing.T, before, after []byte) {
		for _, written := range []string{id, strings.ToUpper(id)} {
			text := string(before) + written + string(after)
			require.True(t, mention.NewFinder([]string{id}).FindsAny([]byte(text)), "%q", text)
			read := false
			mention.Tokens([]byte(text), func(token []byte) { read = read || string(token) == id })
			require.True(t, read, "%q", text)
		}
	})
}
