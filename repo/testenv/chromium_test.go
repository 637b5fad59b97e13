package testenv

import (
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// The browser needs nothing of the machine but the C library.
func TestChromiumStarts(t *testing.T) {
	t.Parallel()
	browser, err := OpenChromium(t.Context())
	require.NoError(t, err)
	missing := exec.CommandContext(t.Context(), "ldd", browser.Program)
	missing.Env = append(os.Environ(), browser.Env...)
	out, err := missing.CombinedOutput()
	require.NoError(t, err, string(out))
	require.NotContains(t, string(out), "not found")
	for _, line := range strings.Split(strings.TrimSpace(string(out)), "\n") {
		if strings.Contains(line, "/usr/lib") || strings.Contains(line, " /lib") {
			require.Regexp(t, `lib(c|m|dl|pthread|rt|gcc_s|util)\.so|ld-linux`, line, "it comes with Debian's C library or with the package")
		}
	}
}
