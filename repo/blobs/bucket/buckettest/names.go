package buckettest

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// oddNames are names of uploads that the application takes as they are.
var oddNames = []string{
	"a b.pdf", "Report #1.pdf", "100%41.txt", "a+b.txt", "what?.txt", "\u00fcml\u00e4ut.txt", "u\u0308mlaut.txt", "tab\there", "line\nbreak",
	"\x01", "..", "trailing ", "trailing.", "a__0x2e__b", "&amp;<x>.txt", "", strings.Repeat("n", 218),
}

// namesAsWritten: what the application writes is found by its id and goes, whatever its
// name, and nothing else does that is called nearly so.
func namesAsWritten(t *testing.T, s Server) {
	w := s.world(t)
	var names []string
	for _, name := range oddNames {
		if s.takes(name) {
			names = append(names, s.key(ID+"_"+name))
		}
	}
	others := []string{s.key(Other + "_a"), s.key("folder/" + ID + "_a"), s.key("plain"), "other/team/" + ID + "_a"}
	if s.Prefix != "" {
		others = append(others, ID+"_root", s.Prefix+"2/"+ID+"_a", s.Prefix+"file")
	}
	for _, key := range slices.Concat(names, others) {
		w.Put(t, key, "bytes")
	}
	require.ElementsMatch(t, names, w.NamesOf(t, ID))
	require.ElementsMatch(t, append(names, s.key(Other+"_a")), w.Listed(t))
	w.RemoveAll(t, names...)
	require.ElementsMatch(t, others, w.Keys(t))
}

// backslash: some servers list one as a slash, and take either.
func backslash(t *testing.T, s Server) {
	w := s.world(t)
	require.NoError(t, os.WriteFile(filepath.Join(w.Uploads, "b.txt"), []byte("another's"), 0o600))
	w.PutCopy(t, s.key(ID+`_a\b.txt`), ID+`_a\b.txt`)
	names := w.NamesOf(t, ID)
	require.Contains(t, names, s.key(ID+`_a\b.txt`), "as the copy is called")
	w.RemoveAll(t, names...)
	require.Empty(t, w.Keys(t))
	require.Equal(t, []string{"b.txt"}, w.CopyNames(t))

	w.PutCopy(t, s.key(ID+`_a\b.txt`), ID+`_a\b.txt`)
	w.RemoveAll(t, w.NameOf(w.Bucket.Root()+s.key(ID+`_a\b.txt`)))
	require.Empty(t, w.Keys(t))
	require.Equal(t, []string{"b.txt"}, w.CopyNames(t))
}

// copiesGo: a copy goes with its object and after it, and is found where there is none; of
// its object it says nothing.
func copiesGo(t *testing.T, s Server) {
	w := s.world(t)
	for _, name := range []string{ID + "_a", Other + "_b"} {
		w.PutCopy(t, s.key(name), name)
	}
	found, err := w.Find(t.Context(), []string{ID})
	require.NoError(t, err)
	require.Len(t, found[ID], 1)
	require.EqualValues(t, len("bytes"), found[ID][0].Size)
	require.Equal(t, []string{s.key(ID + "_a"), s.key(ID + "_a"), s.key(Other + "_b"), s.key(Other + "_b")}, slices.Sorted(slices.Values(w.Listed(t))))
	w.RemoveAll(t, s.key(ID+"_a"))
	require.Equal(t, []string{s.key(Other + "_b")}, w.Keys(t))
	require.Equal(t, []string{Other + "_b"}, w.CopyNames(t))

	require.NoError(t, os.WriteFile(filepath.Join(w.Uploads, ID+"_left"), nil, 0o600))
	_, there, err := w.Stat(t.Context(), s.key(ID+"_left"))
	require.NoError(t, err)
	require.False(t, there)
	require.Equal(t, []string{s.key(ID + "_left")}, w.NamesOf(t, ID))
	w.RemoveAll(t, s.key(ID+"_left"))
	require.Equal(t, []string{Other + "_b"}, w.CopyNames(t))
}
