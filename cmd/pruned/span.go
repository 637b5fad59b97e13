package main

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// span is a duration on the command line, which may be days.
type span time.Duration

// UnmarshalText implements encoding.TextUnmarshaler.
func (s *span) UnmarshalText(text []byte) error {
	d, err := time.ParseDuration(string(text))
	if days, are := strings.CutSuffix(string(text), "d"); are {
		var n int
		if n, err = strconv.Atoi(days); n > maxDays {
			err = strconv.ErrRange
		}
		d = time.Duration(n) * 24 * time.Hour
	}
	if err != nil || d <= 0 {
		return fmt.Errorf("%q: wanted a duration such as 90d or 12h", text)
	}
	*s = span(d)
	return nil
}

// maxDays is a hundred years.
const maxDays = 36500

// shortSpan writes a duration of two days or more in days.
func shortSpan(d time.Duration) string {
	if d >= 48*time.Hour {
		return fmt.Sprintf("%dd", d.Round(24*time.Hour)/(24*time.Hour))
	}
	return shortDuration(d.Round(time.Minute))
}
