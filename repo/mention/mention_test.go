package mention_test

import (
	"encoding/base64"
	"fmt"
	"math/rand/v2"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"pruned/repo/mention"
)

const (
	id   = "0f8fad5b-d9cb-469f-a165-70867728950e"
	bare = "0f8fad5bd9cb469fa16570867728950e"
)

func escaped(id, hyphen string) string { return strings.ReplaceAll(id, "-", hyphen) }

func tokens(text string) (found []string) {
	mention.Tokens([]byte(text), func(token []byte) { found = append(found, string(token)) })
	return found
}

func TestTokens(t *testing.T) {
	t.Parallel()
	for text, want := range map[string][]string{
		"":                               nil,
		id:                               {id},
		strings.ToUpper(id):              {id},
		"{{VIDEO_FILE_ID_" + id + "}}":   {id},
		"abc" + id + "def":               {id},
		strings.ReplaceAll(id, "-", "_"): {id},
		id + id:                          {id, id},
		"ff" + id + "-" + id:             {id, id},
		id[:35]:                          nil,
		id[1:]:                           nil,
		strings.Replace(id, "-", "_", 1): nil,
		strings.Replace(id, "f", "g", 1): nil,
		strings.ReplaceAll(id, "-", ""):  {id},
		"id:" + bare + "/" + bare:        {id, id},
		strings.ToUpper("x" + bare):      {id},
		bare + bare:                      {id, id},
		bare + bare + bare + "01":        {id, id, id},
		strings.Repeat("0", 64):          nil,
		bare + "56789" + bare:            nil,
		escaped(id, `\u002d`):            {id},
		"x" + escaped(id, `\\u002D`):     {id},
		escaped(id, "%2d"):               {id},
		escaped(id, "%2D") + `\u002d`:    {id},
		escaped(id, "%252d"):             nil,
		"01234" + bare:                   nil,
		bare + "56789":                   nil,
		bare[1:]:                         nil,
		"ü" + id + "€":                   {id},
		"\x00\xff" + id:                  {id},
	} {
		require.Equal(t, want, tokens(text), text)
	}
}

// Escapes and words may end in hexadecimal digits.
func TestTokensBesideDigits(t *testing.T) {
	t.Parallel()
	for _, text := range []string{
		`\u201c` + bare + `\u201d`, "https%3A%2F%2F" + bare, `\012` + bare, `\f` + bare, "FILE" + bare, bare + "_" + bare + "beef",
	} {
		require.Contains(t, tokens(text), id, text)
	}
}

// A naive search at every place finds no more and no fewer.
func TestTokensFindsAll(t *testing.T) {
	t.Parallel()
	shape := regexp.MustCompile(`^(?i)[0-9a-f]{8}(-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-|_[0-9a-f]{4}_[0-9a-f]{4}_[0-9a-f]{4}_)[0-9a-f]{12}`)
	piece := rapid.OneOf(
		rapid.SampledFrom([]string{id, strings.ToUpper(id), strings.ReplaceAll(id, "-", "_"), bare, "-", "_", "70867728950e", "0f8fad5b", "d9cb"}),
		rapid.StringMatching(`[0-9a-gA-G_-]{0,9}`),
		rapid.SampledFrom([]string{bare + bare, bare + bare + "ab", strings.Repeat(bare, 3)}),
	)
	rapid.Check(t, func(t *rapid.T) {
		text := strings.Join(rapid.SliceOfN(piece, 0, 12).Draw(t, "pieces"), "")
		var want []string
		for i := range text {
			if token := shape.FindString(text[i:]); token != "" {
				want = append(want, strings.ToLower(strings.ReplaceAll(token, "_", "-")))
			}
		}
		for _, run := range regexp.MustCompile(`(?i)[0-9a-f]+`).FindAllString(text, -1) {
			for i := 0; len(run)%32 <= 4 && i+32 <= len(run); i++ {
				random := regexp.MustCompile(`^(?i)[0-9a-f]{12}[1-8][0-9a-f]{3}[89ab]`).MatchString(run[i:])
				if i%32 <= len(run)%32 && (len(run) <= 36 || random) {
					want = append(want, uuid.MustParse(run[i:i+32]).String())
				}
			}
		}
		got := tokens(text)
		slices.Sort(want)
		slices.Sort(got)
		require.Equal(t, slices.Compact(want), slices.Compact(got), text)
	})
}

func TestFinder(t *testing.T) {
	t.Parallel()
	upper := strings.ToUpper(id)
	finder := mention.NewFinder([]string{id, upper, "logo.V2", "a b", "", id, "logo.V2"})
	find := func(text string) []string {
		found := []string{}
		finder.Find([]byte(text), func(id string) { found = append(found, id) })
		return found
	}
	require.ElementsMatch(t, []string{id, upper}, find("see "+id))
	require.Equal(t, []string{"logo.V2"}, find("LOGO.v2, ÄÖ"))
	require.Equal(t, []string{"logo.V2"}, find("\xff\u0130LOGO.V2\u212a"))
	require.Empty(t, find("a b"))
	require.Empty(t, find(""))
}

// Many words are found as each alone is, whatever their lengths, and however alike they
// begin and end.
func TestFinderOfManyWords(t *testing.T) {
	t.Parallel()
	word := rapid.OneOf(rapid.StringMatching(`[ab.]{1,3}z`), rapid.StringMatching(`[AB-]{3,9}x`), rapid.StringMatching(`web-search-[ab]{4,12}`))
	rapid.Check(t, func(t *rapid.T) {
		ids := rapid.SliceOfN(word, 0, 40).Draw(t, "ids")
		pieces := rapid.SliceOfN(rapid.OneOf(rapid.SampledFrom(append(ids, "-")), word, rapid.StringMatching(`[abAB. -]{0,5}`)), 0, 20).Draw(t, "pieces")
		text := strings.Join(pieces, "")
		if rapid.Bool().Draw(t, "escaped") {
			text = strings.Replace(text, "-", `\u002d`, 1)
		}
		var want, got []string
		plain := strings.ToLower(strings.ReplaceAll(text, `\u002d`, "-"))
		for _, id := range ids {
			if strings.Contains(plain, strings.ToLower(id)) || strings.Contains(strings.ToLower(text), strings.ToLower(id)) {
				want = append(want, id)
			}
		}
		finder := mention.NewFinder(ids)
		finder.Find([]byte(text), func(id string) { got = append(got, id) })
		require.True(t, len(got) == 0 || len(text) >= finder.ShortestText(), text)
		slices.Sort(want)
		slices.Sort(got)
		require.Equal(t, slices.Compact(want), slices.Compact(got), text)
	})
}

func TestSearchable(t *testing.T) {
	t.Parallel()
	for token, want := range map[string]bool{
		id: true, "logo.v2": true, "a_b~c-1": true, id[:35]: true,
		"a1": true, "2024-06-01a": true, "7e9c1f0a2b": true, "tru": true, "info": true, "x0": true, "08-00-2b": true, "e5a": true, "0b1d": true, "0o18": true,
		"": false, "1": false, "-1.5": false, "1e-5": false, "1_000": false, "0x1f": false, "0b101": false, "0o17": false, "-infinity": false, "nan": false, bare: false,
		bare[:16] + "-" + bare[16:]: false, bare[:31]: true,
		"2024-06-01": false, "12.34.56.7": false, "true": false, "f": false, "no": false, "n": false,
		"a b": false, "ü": false, `a"b`: false, "a/b": false, "a%20": false, "a\nb": false, "a\n": false,
	} {
		require.Equal(t, want, mention.Searchable(token), "%q", token)
	}
}

// A letter whose lower case is ASCII, in Unicode, is none that a database finds.
func TestTokenLowersASCII(t *testing.T) {
	t.Parallel()
	require.Equal(t, "az09-é", mention.Token("AZ09-é"))
	for _, id := range []string{"\u212aey1", "f\u0130le1", "\u017fig"} {
		require.Equal(t, id, mention.Token(id))
		require.False(t, mention.Searchable(mention.Token(id)), id)
	}
}

func TestJSONPaths(t *testing.T) {
	t.Parallel()
	is := func(text []byte) bool { return strings.Contains(string(text), id) }
	text := `{"history":{"messages":{"m1":{"files":[{"id":"x"},{"id":"` + id + `"}]}}},"` + id + `":1,"b":["` + id + `"],"n":1e400}`
	require.Equal(t, []string{id, "b[0]", "history.messages.m1.files[1].id"}, mention.JSONPaths([]byte(text), is))
	require.Equal(t, []string{""}, mention.JSONPaths([]byte(`"`+id+`"`), is))
	require.Empty(t, mention.JSONPaths([]byte(`no JSON `+id), is))
}

// BenchmarkTokens is a chat whose text does not compress.
func BenchmarkTokens(b *testing.B) {
	random := rand.New(rand.NewPCG(1, 2))
	var text strings.Builder
	for range 10 {
		fmt.Fprintf(&text, `{"id":"%s","parentId":"%s","content":"`, uuid.NewString(), uuid.NewString())
		content := make([]byte, 600)
		for i := range content {
			content[i] = byte(random.Uint32())
		}
		text.WriteString(base64.StdEncoding.EncodeToString(content) + `"}`)
	}
	chat := []byte(text.String())
	b.SetBytes(int64(len(chat)))
	for b.Loop() {
		mention.Tokens(chat, func([]byte) {})
	}
}

// BenchmarkWords: a thousand times as many words cost as little.
func BenchmarkWords(b *testing.B) {
	text := []byte(strings.Repeat("the quick brown fox jumps over the lazy dog, "+id+" ", 12_000))
	for _, n := range []int{8, 100, 100_000} {
		ids := make([]string, n)
		for i := range ids {
			ids[i] = "web-search-" + strings.ReplaceAll(uuid.NewString()+uuid.NewString(), "-", "")[:52]
		}
		finder := mention.NewFinder(ids)
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			b.SetBytes(int64(len(text)))
			for b.Loop() {
				finder.Find(text, func(string) {})
			}
		})
	}
}
