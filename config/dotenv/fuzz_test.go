package dotenv

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// Whatever a file holds, it ends, the environment wins, and an error shows nothing of it.
func FuzzMerge(f *testing.F) {
	for _, seed := range []string{"A=1\n", "export A='x\\'y' # c\r\n", `A="${B:-\n}"`, "\ufeffA", "A=${A}", "'a b' = c", "A='", "=", "\x00", "TOLD=2", "A = # c"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, content string) {
		values := map[string]string{"TOLD": "1", "EMPTY": ""}
		if err := Merge(values, content); err != nil {
			require.Regexp(t, `^line \d+ cannot be read: wanted NAME=value$`, err.Error())
		}
		require.Equal(t, "1", values["TOLD"])
	})
}
