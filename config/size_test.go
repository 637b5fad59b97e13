package config

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestSize(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]Size{
		"0": 0, "1048576": MiB, "1MiB": MiB, "1 mib": MiB, "1GB": 1e9, "1.5GiB": 1536 * MiB, "8191PiB": 8191 << 50,
	} {
		var got Size
		require.NoError(t, got.UnmarshalText([]byte(text)), text)
		assert.Equal(t, want, got, text)
	}
	for _, text := range []string{"", "-1", "x", "1XiB", "8192PiB", "16EiB"} {
		var got Size
		require.Error(t, got.UnmarshalText([]byte(text)), text)
	}
	assert.Equal(t, "1.0 GiB", Size(1<<30).String())
	assert.Equal(t, "0 B", Size(-1).String())
}
