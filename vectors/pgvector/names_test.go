package pgvector_test

import (
	"strings"
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"pruned/repo/testenv"
	"pruned/vectors"
	"pruned/vectors/pgvector"
)

// The conditions on names mean in SQL what they mean elsewhere.
func TestNamesAreToldApart(t *testing.T) {
	t.Parallel()
	d := testenv.New(t, testenv.Empty())
	id := uuid.NewString()
	names := []string{
		"", "-", "----", id, "file-" + id, "file-", "file-x", "x" + id, id + "\n", "\n" + id, id + "0", id[:35], strings.ToUpper(id),
		strings.ReplaceAll(id, "-", ""), strings.ReplaceAll(id, "-", "_"), id[:8] + "a" + id[9:], id[:7] + "-" + id[8:], id[:35] + "-", strings.Repeat("-", 36), strings.Repeat("-", 64), "g" + id[1:], "é" + id[1:], "file-" + strings.ToUpper(id), "file-" + id + "0",
		"user-memory-", "user-memory-" + id, "user-memory-x", "User-memory-x", "web-search-", "web-search-x", "web-searches-x", "knowledge-bases", "knowledge-bases2", "my-plugin",
	}
	for length := 61; length <= 66; length++ {
		names = append(names, strings.Repeat("a", length), strings.Repeat("A", length), strings.Repeat("1", length-1)+"g", strings.Repeat("f", length-1)+"-")
	}
	for _, name := range names {
		for condition, want := range map[string]bool{pgvector.SharedCondition("$1::text"): vectors.IsShared(name), pgvector.KnownCondition("$1::text"): vectors.IsKnown(name)} {
			require.Equal(t, want, testenv.Value[bool](t, d, "SELECT "+condition, name), "%q: %s", name, condition)
		}
	}
}
