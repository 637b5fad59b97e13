package sweep

import (
	"testing"

	"github.com/stretchr/testify/require"

	"pruned/repo"
)

// What is found in each direction has words of its own, and not only its name.
func TestWordsForEachDirection(t *testing.T) {
	t.Parallel()
	seen := map[string]repo.Direction{}
	for _, d := range Directions {
		words := DescribeFound(d)
		require.NotEqual(t, string(d), words)
		require.NotContains(t, seen, words)
		seen[words] = d
	}
}
