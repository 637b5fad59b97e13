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
		require.NotContains(t, token(a), ".")
		require.False(t, strings.ContainsAny(token(a), "*> \t\r\n"))
		require.Equal(t, a == b, token(a) == token(b))
	})
	require.Equal(t, "0b3c-9_A", token("0b3c-9_A"))
}
