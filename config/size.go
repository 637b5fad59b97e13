package config

import (
	"fmt"
	"math"

	"github.com/dustin/go-humanize"
)

// Size is a number of bytes, written like 512MiB or 1GiB.
type Size int64

// MiB is the unit of the smallest sizes that are settings.
const MiB Size = humanize.MiByte

// String is the size in the largest unit that fits.
func (s Size) String() string { return humanize.IBytes(uint64(max(s, 0))) }

// UnmarshalText reads a size with or without a unit.
func (s *Size) UnmarshalText(text []byte) error {
	n, err := humanize.ParseBytes(string(text))
	if err != nil {
		return fmt.Errorf("reading a size: %w", err)
	}
	if n > math.MaxInt64 {
		return fmt.Errorf("reading a size: %s is too large", text)
	}
	*s = Size(n)
	return nil
}
