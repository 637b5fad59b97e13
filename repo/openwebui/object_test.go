package openwebui_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"pruned/repo/openwebui"
)

func TestBaseName(t *testing.T) {
	t.Parallel()
	for path, want := range map[string]string{
		"/data/uploads/a_b.pdf": "a_b.pdf", "s3://bucket/prefix/a": "a", "a": "a", "": "", "/data/": "",
	} {
		require.Equal(t, want, openwebui.BaseName(path))
	}
}
