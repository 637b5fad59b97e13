package mention

import (
	"bytes"
	"regexp"
	"slices"
)

// tokenLen is the length of a UUID in text: 8-4-4-4-12.
const tokenLen = 36

// LiteralShape are tokens of characters that neither JSON nor a URL writes in
// another way. ValueShape are those among them that a column may hold as a number,
// a date, an address, a truth, a UUID with other hyphens: it then stands nowhere as
// it is written. Both are regular expressions as Go and PostgreSQL know them.
const (
	LiteralShape = `^[0-9a-z._~-]+$`
	ValueShape   = `^([0-9e._~-]*|([0-9a-f]{4}-?){8}|-?0(x[0-9a-f._p-]*|b[01_]*|o[0-7_]*)|-?inf(inity)?|nan|true|t|false|f|yes|y|no|n|on|off)$`
)

var literalShape, valueShape = regexp.MustCompile(LiteralShape), regexp.MustCompile(ValueShape)

// Token is the form in which an id is looked for: lower case, since URLs are
// typed in any. Only ASCII has one here, as in the databases: others disagree about
// the lower case of a Kelvin sign, and an id with such a letter is not searched.
func Token(id string) string {
	for i := range len(id) {
		if isUpper(id[i]) {
			return string(lower([]byte(id)))
		}
	}
	return id // nearly all are lower case
}

func isUpper(c byte) bool { return c >= 'A' && c <= 'Z' }

// lower is a copy of text in lower case.
func lower(text []byte) []byte {
	text = bytes.Clone(text)
	for i, c := range text {
		if isUpper(c) {
			text[i] = c + ('a' - 'A')
		}
	}
	return text
}

// IsUUID says whether a token has the shape that Tokens finds.
func IsUUID(token string) bool {
	_, is := ParseUUID(token)
	return is
}

// ParseUUID reads a token in the form that Tokens yields.
func ParseUUID[T string | []byte](token T) (uuid [16]byte, ok bool) {
	if len(token) != 36 || token[8] != '-' || token[13] != '-' || token[18] != '-' || token[23] != '-' {
		return uuid, false
	}
	bad := byte(0)
	for i, at := range [16]byte{0, 2, 4, 6, 9, 11, 14, 16, 19, 21, 24, 26, 28, 30, 32, 34} {
		high, low := nibbles[token[at]], nibbles[token[at+1]]
		uuid[i] = high<<4 | low
		bad |= high | low
	}
	return uuid, bad < 16
}

// nibbles are the values of hexadecimal digits in lower case; more than 15 of what
// is none.
var nibbles = func() (values [256]byte) {
	for i := range values {
		values[i] = 0xff
	}
	for i, c := range []byte("0123456789abcdef") {
		values[c] = byte(i)
	}
	return values
}()

// LongestID is how many bytes an id has at most that is searched at all: an index of
// PostgreSQL takes no entry that is much longer.
const LongestID = 1024

// IsLiteral says whether an id that is no UUID can be searched literally. Another
// may be written in the database in a way that no search finds (escaped in JSON or
// in a URL, or as a number): such a file is always kept.
func IsLiteral(token string) bool {
	return len(token) <= LongestID && literalShape.MatchString(token) && !valueShape.MatchString(token) && !IsUUID(token)
}

// Searchable says whether a search finds every mention of an id.
func Searchable(token string) bool { return IsUUID(token) || IsLiteral(token) }

// Tokens calls yield with every UUID-shaped token in text, lower-cased and with
// hyphens; repeats and overlaps included. There is no word boundary:
// VIDEO_FILE_ID_{uuid} is a mention, and so is a run of hexadecimal digits that
// only ends like one. Underscores count as hyphens, as vector stores write them, and
// so do hyphens that JSON or a URL has escaped. 32 digits without any are one, as
// Python's uuid.hex writes it, also with up to four more beside them: an escape's
// (\u201c, %2F, \012) or a word's last letters. In longer runs, which may be digests,
// there are those that stand side by side, if they look like UUIDs and nothing but
// such digits is beside them. The slice is valid until yield returns.
func Tokens(text []byte, yield func(token []byte)) {
	var token [tokenLen]byte
	hyphenated(text, &token, yield)
	if plain := unescaped(text); plain != nil {
		hyphenated(plain, &token, yield)
	}
	// Of each run of that length one digit is looked at here.
	for at := bareLen - 1; at < len(text); at += bareLen {
		if hexDigits[text[at]] == 0 {
			continue
		}
		run, end := runAt(text, at)
		at = end
		more := len(run) % bareLen
		if more > beside {
			continue
		}
		for i := 0; i+bareLen <= len(run); i++ {
			digits := run[i : i+bareLen]
			if i%bareLen <= more && (len(run) < 2*bareLen || looksRandom(digits)) {
				hyphenate(digits, &token)
				yield(token[:])
			}
		}
	}
}

// hyphenated yields the tokens that have their hyphens.
func hyphenated(text []byte, token *[tokenLen]byte, yield func(token []byte)) {
	for _, separator := range []byte{'-', '_'} {
		for at := 0; ; {
			i := bytes.IndexByte(text[at:], separator)
			if i < 0 {
				break
			}
			at += i + 1
			if tokenAt(text, at-9, separator, token) {
				yield(token[:])
				// None begins at its other separators: that needs one where it has a digit.
				at += tokenLen - 9
			}
		}
	}
}

// looksRandom says whether 32 digits have the version and the variant of a UUID (RFC
// 9562): one of eight digests does by chance.
func looksRandom(digits []byte) bool {
	return digits[12] >= '1' && digits[12] <= '8' && (digits[16] == '8' || digits[16] == '9' || digits[16]|0x20 == 'a' || digits[16]|0x20 == 'b')
}

const (
	bareLen = 32 // of a UUID without hyphens
	beside  = 4  // digits that may stand beside one
)

// hexDigits are the digits in lower case; zero for what is none.
var hexDigits = func() (digits [256]byte) {
	for _, c := range []byte("0123456789abcdefABCDEF") {
		digits[c] = c | 0x20
	}
	return digits
}()

// runAt is the run of hexadecimal digits around text[at], and where it ends.
func runAt(text []byte, at int) (run []byte, end int) {
	start := at
	for end = at + 1; start > 0 && hexDigits[text[start-1]] != 0; {
		start--
	}
	for end < len(text) && hexDigits[text[end]] != 0 {
		end++
	}
	return text[start:end], end
}

// hyphenate writes 32 digits as a token.
func hyphenate(digits []byte, token *[tokenLen]byte) {
	i := 0
	for _, c := range digits {
		if i == 8 || i == 13 || i == 18 || i == 23 {
			token[i] = '-'
			i++
		}
		token[i] = hexDigits[c]
		i++
	}
}

// tokenAt copies the token that starts at text[start] into token, if one does.
func tokenAt(text []byte, start int, separator byte, token *[tokenLen]byte) bool {
	if start < 0 || start+tokenLen > len(text) {
		return false
	}
	raw := text[start : start+tokenLen]
	// The cheap refusals first: nearly every hyphen of a text ends here.
	if raw[13] != separator || raw[18] != separator || raw[23] != separator {
		return false
	}
	for _, group := range [...][2]int{{0, 8}, {9, 13}, {14, 18}, {19, 23}, {24, tokenLen}} {
		for i := group[0]; i < group[1]; i++ {
			digit := hexDigits[raw[i]]
			if digit == 0 {
				return false
			}
			token[i] = digit
		}
	}
	token[8], token[13], token[18], token[23] = '-', '-', '-', '-'
	return true
}

// Finder looks for a set of ids in texts.
type Finder struct {
	uuids    map[string][]string // token -> ids that it stands for
	words    wordSet
	shortest int // of the words, bareLen if none is shorter
}

// NewFinder returns a finder of these ids, each once. Ids that can be searched in no way
// are left out.
func NewFinder(ids []string) *Finder {
	f := &Finder{uuids: make(map[string][]string, len(ids)), shortest: bareLen}
	var words []word
	for _, id := range slices.Compact(slices.Sorted(slices.Values(ids))) {
		switch token := Token(id); {
		case IsUUID(token):
			f.uuids[token] = append(f.uuids[token], id)
		case IsLiteral(token):
			words = append(words, word{[]byte(token), id})
			f.shortest = min(f.shortest, len(token))
		}
	}
	f.words = newWordSet(words)
	return f
}

// ShortestText is how many bytes a text has at least that mentions one of the ids, or any
// UUID, in whatever way it is written: all ways but the plainest are longer.
func (f *Finder) ShortestText() int { return f.shortest }

// FindsAny says whether text mentions any of the ids.
func (f *Finder) FindsAny(text []byte) (does bool) {
	f.Find(text, func(string) { does = true })
	return does
}

// Find calls yield with each id that text mentions; repeats included.
func (f *Finder) Find(text []byte, yield func(id string)) {
	if len(f.uuids) > 0 {
		Tokens(text, func(token []byte) {
			for _, id := range f.uuids[string(token)] {
				yield(id)
			}
		})
	}
	if f.words.isEmpty() {
		return
	}
	f.words.find(lower(text), yield)
	if plain := unescaped(text); plain != nil {
		f.words.find(lower(plain), yield)
	}
}
