// Package secret keeps secrets out of what is printed: texts that never show, and
// addresses of servers without their passwords. It knows nothing else of the program.
package secret

import (
	"fmt"
	"io"
)

// Text is a string that never shows: no verb of fmt, no encoder and no
// logger prints more than that it is set. string(s) is the only way in.
type Text string

const hidden = "***"

// String is *** if the secret is set, else empty.
func (t Text) String() string {
	if t == "" {
		return ""
	}
	return hidden
}

// GoString is String.
func (t Text) GoString() string { return t.String() }

// Format covers every verb: fmt prints the bare value for a verb that does
// not fit, such as %d, whatever String says.
func (t Text) Format(f fmt.State, _ rune) {
	_, _ = io.WriteString(f, t.String())
}

// MarshalText covers the encoders: JSON, XML and those that follow them.
func (t Text) MarshalText() ([]byte, error) { return []byte(t.String()), nil }
