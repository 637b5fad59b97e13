package trace

import (
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"unicode"
	"unicode/utf16"
	"unicode/utf8"
)

const (
	// minLength keeps a search from finding what is meant by nobody.
	minLength = 8
	maxLength = 1024
)

// Text is what is looked for, with the ways in which it may be written.
type Text struct {
	ID string
	// Forms are written in letters, in lower case: texts are compared in any case of
	// ASCII. Raw are bytes, which only a value of bytes holds.
	Forms []string
	Raw   [][]byte
	// Sieve are texts of which every form has one: looking for these is enough to know
	// what to look at.
	Sieve []string
}

// NewText refuses what cannot be looked for.
func NewText(id string) (Text, error) {
	switch {
	case !utf8.ValidString(id) || strings.ContainsFunc(id, unicode.IsControl):
		return Text{}, errors.New("an id has no control characters")
	case utf8.RuneCountInString(id) < minLength:
		return Text{}, fmt.Errorf("the id has fewer than %d characters, which would be found everywhere", minLength)
	case len(id) > maxLength:
		return Text{}, fmt.Errorf("the id has more than %d bytes", maxLength)
	}
	t := Text{ID: id, Forms: []string{string(lower([]byte(id)))}}
	if digits, is := uuidDigits(t.Forms[0]); is {
		t.addUUID(digits)
	} else {
		t.addEscaped(id)
		t.Sieve = t.Forms
	}
	t.Raw = append(t.Raw, utf16Bytes(binary.LittleEndian, t.Forms[0]), utf16Bytes(binary.BigEndian, t.Forms[0]))
	return t, nil
}

// uuidDigits are the 32 digits of a UUID, with hyphens or without.
func uuidDigits(id string) (digits string, is bool) {
	digits = id
	if len(id) == 36 && id[8] == '-' && id[13] == '-' && id[18] == '-' && id[23] == '-' {
		digits = strings.ReplaceAll(id, "-", "")
	}
	raw, err := hex.DecodeString(digits)
	return digits, err == nil && len(raw) == 16
}

// addUUID adds the ways in which hyphens are written, escaped or left out, and the bytes.
func (t *Text) addUUID(digits string) {
	parts := []string{digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:]}
	t.Forms = nil
	for _, hyphen := range []string{"-", "", "_", `\u002d`, "%2d"} {
		t.Forms = append(t.Forms, strings.Join(parts, hyphen))
	}
	raw, _ := hex.DecodeString(digits) // it was decoded before
	t.Raw, t.Sieve = append(t.Raw, raw), parts[:1]
}

// addEscaped adds what JSON, as Python writes it, and URLs make of other characters.
func (t *Text) addEscaped(id string) {
	var ascii strings.Builder
	for _, r := range id {
		switch {
		case r == '"' || r == '\\':
			ascii.WriteString(`\` + string(r))
		case r < utf8.RuneSelf:
			ascii.WriteRune(r)
		default:
			for _, unit := range utf16.Encode([]rune{r}) {
				fmt.Fprintf(&ascii, `\u%04x`, unit)
			}
		}
	}
	quoted := strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(id)
	for _, form := range []string{ascii.String(), quoted, url.PathEscape(id), url.QueryEscape(id)} {
		if form = string(lower([]byte(form))); !slices.Contains(t.Forms, form) {
			t.Forms = append(t.Forms, form)
		}
	}
}

// Count counts the text in a value.
func (t Text) Count(value []byte) (n int64) {
	low := lower(value)
	for _, form := range t.Forms {
		n += int64(bytes.Count(low, []byte(form)))
	}
	for _, raw := range t.Raw {
		n += int64(bytes.Count(value, raw))
	}
	return n
}

// lower is a copy in lower case of ASCII, as databases that know no language have it.
func lower(text []byte) []byte {
	text = bytes.Clone(text)
	for i, c := range text {
		if c >= 'A' && c <= 'Z' {
			text[i] = c + ('a' - 'A')
		}
	}
	return text
}

func utf16Bytes(order binary.AppendByteOrder, text string) (raw []byte) {
	for _, unit := range utf16.Encode([]rune(text)) {
		raw = order.AppendUint16(raw, unit)
	}
	return raw
}
