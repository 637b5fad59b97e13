package mention_test

import (
	"bytes"
	"crypto/rand"
	"encoding/binary"
	"slices"
	"strings"
	"testing"
	"unicode/utf16"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"pruned/repo/mention"
)

// read are the tokens that a binary value may hold.
func read(data []byte) (found []string) {
	mention.Readings(data, func(text []byte) { found = append(found, tokens(string(text))...) })
	return found
}

func utf16Of(text string, order binary.AppendByteOrder) (data []byte) {
	for _, unit := range utf16.Encode([]rune(text)) {
		data = order.AppendUint16(data, unit)
	}
	return data
}

// Encodings: a binary value holds ids as text, in either order of UTF-16, or raw.
func TestEncodingsOfBinaryValues(t *testing.T) {
	t.Parallel()
	a, b := uuid.New(), uuid.New()
	noise := make([]byte, 100_001)
	_, err := rand.Read(noise)
	require.NoError(t, err)
	old := uuid.MustParse("00000000-0000-0000-0000-00000000beef") // of no version
	for name, c := range map[string]struct {
		data []byte
		want []string
	}{
		"text":                      {[]byte("see " + a.String()), []string{a.String()}},
		"16 bytes":                  {a[:], []string{a.String()}},
		"16 bytes of any version":   {old[:], []string{old.String()}},
		"two side by side":          {slices.Concat(a[:], b[:]), []string{a.String(), b.String()}},
		"within a record":           {slices.Concat([]byte{0xc4, 0x10}, a[:], []byte{0xc0}), []string{a.String()}},
		"UTF-16, little end first":  {utf16Of("id: "+a.String()+"\n", binary.LittleEndian), []string{a.String()}},
		"UTF-16, great end first":   {utf16Of("\ufeff"+strings.ToUpper(a.String()), binary.BigEndian), []string{a.String()}},
		"UTF-16 of 32 digits":       {utf16Of(`"`+strings.ReplaceAll(a.String(), "-", "")+`"`, binary.LittleEndian), []string{a.String()}},
		"at the end of a megabyte":  {slices.Concat(noise, []byte(a.String())), []string{a.String()}},
		"in an array of many":       {slices.Concat(bytes.Repeat(b[:], 5000), a[:]), []string{a.String()}},
		"a long one that is uneven": {slices.Concat(noise[:70_001], []byte{1}), nil},
	} {
		require.Subset(t, read(c.data), c.want, name)
	}
	require.Empty(t, read(noise[:15]))
	require.Empty(t, read(nil))
}

// Encodings: ids that are no UUID are searched in the same ways.
func TestEncodingsOfLiterals(t *testing.T) {
	t.Parallel()
	finder := mention.NewFinder([]string{"plugin-7"})
	for _, data := range [][]byte{utf16Of("x plugin-7", binary.LittleEndian), []byte(`{"id":"plugin\u002d7"}`), []byte("/Plugin%2D7")} {
		found := false
		mention.Readings(data, func(text []byte) { finder.Find(text, func(string) { found = true }) })
		require.True(t, found, "%q", data)
	}
}
