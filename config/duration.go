package config

import (
	"fmt"
	"reflect"
	"strconv"
	"strings"
	"time"

	"github.com/alecthomas/kong"
)

// maxDays is a hundred years.
const maxDays = 36500

// ParseDuration reads a duration of a setting, a flag or a form: as Go writes it, or in whole
// days, which nobody counts in hours.
func ParseDuration(text string) (time.Duration, error) {
	days, are := strings.CutSuffix(text, "d")
	if !are {
		return time.ParseDuration(text)
	}
	n, err := strconv.Atoi(days)
	if err != nil || n < -maxDays || n > maxDays {
		return 0, fmt.Errorf("%q is no duration of at most %d days", text, maxDays)
	}
	return time.Duration(n) * 24 * time.Hour, nil
}

// durationMapper reads them for kong.
type durationMapper struct{}

// Decode implements kong.Mapper.
func (durationMapper) Decode(ctx *kong.DecodeContext, target reflect.Value) error {
	var text string
	if err := ctx.Scan.PopValueInto("duration", &text); err != nil {
		return err
	}
	d, err := ParseDuration(text)
	if err == nil {
		target.SetInt(int64(d))
	}
	return err
}
