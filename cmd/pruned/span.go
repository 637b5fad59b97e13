package main

import (
	"fmt"
	"time"

	"pruned/config"
)

// span is a duration on the command line that is not zero.
type span time.Duration

// UnmarshalText implements encoding.TextUnmarshaler.
func (s *span) UnmarshalText(text []byte) error {
	d, err := config.ParseDuration(string(text))
	if err != nil || d <= 0 {
		return fmt.Errorf("%q: wanted a duration such as 90d or 12h", text)
	}
	*s = span(d)
	return nil
}

// shortSpan writes a duration of two days or more in days.
func shortSpan(d time.Duration) string {
	if d >= 48*time.Hour {
		return fmt.Sprintf("%dd", d.Round(24*time.Hour)/(24*time.Hour))
	}
	return shortDuration(d.Round(time.Minute))
}
