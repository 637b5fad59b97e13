package pgvector

// Key is a secret that prints as stars.
type Key string

const stars = "***"

// String is stars.
func (Key) String() string { return stars }

// GoString is stars.
func (Key) GoString() string { return stars }

// MarshalText is stars.
func (Key) MarshalText() ([]byte, error) { return []byte(stars), nil }
