package weaviate_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"pruned/vectors/weaviate"
)

// What the application makes of each name, and what can be told of it.
func TestNamesOfClasses(t *testing.T) {
	t.Parallel()
	const id, letter = "3f2a9a52-8d41-4f7e-9b06-2c5de81f0a34", "ab2a9a52-8d41-4f7e-9b06-2c5de81f0a34"
	for collection, class := range map[string]string{
		"file-" + id:                    "File_3f2a9a52_8d41_4f7e_9b06_2c5de81f0a34",
		id:                              "C3f2a9a52_8d41_4f7e_9b06_2c5de81f0a34",
		letter:                          "Ab2a9a52_8d41_4f7e_9b06_2c5de81f0a34",
		"user-memory-" + id:             "User_memory_3f2a9a52_8d41_4f7e_9b06_2c5de81f0a34",
		"web-search-" + id + "-0a1b":    "Web_search_3f2a9a52_8d41_4f7e_9b06_2c5de81f0a34_0a1b",
		"knowledge-bases":               "Knowledge_bases",
		strings.Repeat("ab", 32)[:63]:   "Ab" + strings.Repeat("ab", 31)[:61],
		strings.Repeat("cd", 32)[:63]:   "Cd" + strings.Repeat("cd", 31)[:61],
		strings.Repeat("9b", 32):        "C" + strings.Repeat("9b", 32),
		"c0" + strings.Repeat("ab", 31): "", // as that of 63 digits that begins with 0
		strings.Repeat("0b", 32)[:63]:   "",
		"file-report":                   "", // as file_report
		"user-memory-x":                 "",
		"file-" + strings.ToUpper(id):   "",
		"my-plugin":                     "",
	} {
		if class != "" {
			require.Equal(t, class, className(collection))
		}
		told, is := weaviate.CollectionOf(className(collection))
		require.Equal(t, class != "", is, collection)
		if is {
			require.Equal(t, collection, told)
		}
	}
	for _, class := range []string{"", "_", "File_", "C", "KNOWLEDGE_BASES", "File_3f2a9a52_8d41_4f7e_9b06_2c5de81f0a34_"} {
		_, is := weaviate.CollectionOf(class)
		require.False(t, is, class)
	}
}
