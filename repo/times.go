package repo

import (
	"fmt"
	"strings"

	"pruned/repo/openwebui"
)

// Times counts the rows of table file by how a column of times is written (see
// openwebui.TimesSQL).
type Times struct {
	Column                                        string
	None, Millis, Micros, Nanos, Future, Together int64
}

// CheckTimes tells of times that are not in seconds, or in the future. It is no
// failure: they are understood.
func CheckTimes(all ...Times) Finding {
	f := Finding{Check: "times", OK: true, Detail: "those of table file are in seconds"}
	var said, remedies []string
	for _, t := range all {
		for _, some := range []struct {
			rows    int64
			unit    openwebui.Unit
			divisor string
		}{{t.Millis, openwebui.Milliseconds, "1000"}, {t.Micros, openwebui.Microseconds, "1000000"}, {t.Nanos, openwebui.Nanoseconds, "1000000000"}} {
			if some.rows > 0 {
				said = append(said, fmt.Sprintf("%d of %d rows have file.%s in %s", some.rows, t.Together, t.Column, some.unit))
				remedies = append(remedies, fmt.Sprintf("divide file.%s of those in %s by %s", t.Column, some.unit, some.divisor))
			}
		}
		if t.None > 0 {
			said = append(said, fmt.Sprintf("%d have a file.%s that is no time", t.None, t.Column))
		}
		if t.Future > 0 {
			said = append(said, fmt.Sprintf("%d have a file.%s in the future", t.Future, t.Column))
		}
	}
	if len(said) > 0 {
		f.Detail = strings.Join(said, "; ") + ": they are read as such, and a row without a time that can be is as old as it is known"
	}
	if len(remedies) > 0 {
		f.Remedy = "Open WebUI writes seconds: " + strings.Join(remedies, "; ")
	}
	return f
}
