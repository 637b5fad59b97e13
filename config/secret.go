package config

import (
	"fmt"
	"io"
)

// Secret is a string that never shows: no verb of fmt, no encoder and no
// logger prints more than that it is set. string(s) is the only way in.
type Secret string

const hidden = "***"

// String is *** if the secret is set, else empty.
func (s Secret) String() string {
	if s == "" {
		return ""
	}
	return hidden
}

// GoString is String.
func (s Secret) GoString() string { return s.String() }

// Format covers every verb: fmt prints the bare value for a verb that does
// not fit, such as %d, whatever String says.
func (s Secret) Format(f fmt.State, _ rune) {
	_, _ = io.WriteString(f, s.String())
}

// MarshalText covers the encoders: JSON, XML and those that follow them.
func (s Secret) MarshalText() ([]byte, error) { return []byte(s.String()), nil }
