package mention

import (
	"bytes"
	"encoding/hex"
)

// Ids are searched as text, and text comes in encodings. Those that are cheap to
// read are read here; what is compressed, encrypted, in base64, or taken apart is
// not.

// unescaped is text with the hyphens that JSON (\u002d, also within strings within
// strings) or a URL (%2D) has escaped; nil where there are none, as nearly always.
func unescaped(text []byte) (plain []byte) {
	for _, escape := range []string{`\u002d`, `%2d`} {
		if with := replaceEscape(text, escape); with != nil {
			text, plain = with, with
		}
	}
	return plain
}

// replaceEscape puts a hyphen for each escape, whatever the case of its digits and
// however often it was escaped again; nil where there is none.
func replaceEscape(text []byte, escape string) (plain []byte) {
	done := 0
	for at := 0; ; at++ {
		i := bytes.IndexByte(text[at:], escape[0])
		if i < 0 {
			break
		}
		at += i
		if end := at + len(escape); end <= len(text) && text[at+1] == escape[1] && bytes.EqualFold(text[at:end], []byte(escape)) {
			plain = append(append(plain, bytes.TrimRight(text[done:at], `\`)...), '-')
			done = end
		}
	}
	if plain == nil {
		return nil
	}
	return append(plain, text[done:]...)
}

// looseMost bounds the binary values of which every place may hold a UUID.
const looseMost = 64 << 10

// Readings calls yield with each text that a binary value may stand for: the bytes
// as they are; without NULs, which makes ASCII of UTF-16 and UTF-32 in either order;
// and the UUIDs that it may hold as 16 bytes. A value of 16 bytes is one; of a
// multiple, those side by side that look like UUIDs are; and anywhere in a value of
// up to 64 KiB what looks like a random one is.
func Readings(data []byte, yield func(text []byte)) {
	yield(data)
	if bytes.IndexByte(data, 0) >= 0 {
		yield(bytes.ReplaceAll(data, []byte{0}, nil))
	}
	const size = 16
	if len(data) == size {
		yield(rawUUID(data))
		return
	}
	step := 1
	if len(data) > looseMost {
		step = size
	}
	for at := 0; at+size <= len(data) && (step == 1 || len(data)%size == 0); at += step {
		raw := data[at : at+size]
		version, variant := raw[6]>>4, raw[8]>>6
		aligned := len(data)%size == 0 && at%size == 0
		if variant == 2 && (version == 4 && step == 1 || aligned && version >= 1 && version <= 8) {
			yield(rawUUID(raw))
		}
	}
}

// rawUUID is a UUID of 16 bytes as text.
func rawUUID(raw []byte) []byte {
	var token [tokenLen]byte
	hyphenate(hex.AppendEncode(nil, raw), &token)
	return token[:]
}
