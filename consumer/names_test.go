package consumer

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

func TestTokensAreSafeAndUnique(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		a, b := rapid.String().Draw(t, "a"), rapid.String().Draw(t, "b")
		require.NotContains(t, subjectToken(a), ".")
		require.False(t, strings.ContainsAny(subjectToken(a), "*> \t\r\n"))
		require.Equal(t, a == b, subjectToken(a) == subjectToken(b))
	})
	require.Equal(t, "0b3c-9_A", subjectToken("0b3c-9_A"))
}
