package repo

import (
	"fmt"
	"strings"
)

// Unit is what a time of table file counts, since 1970.
type Unit string

// The units that are told apart. Open WebUI writes seconds; plugins and migrations
// made by hand write others.
const (
	NoTime       Unit = "" // no time that any file can have: the row has no date
	Seconds      Unit = "seconds"
	Milliseconds Unit = "milliseconds"
	Microseconds Unit = "microseconds"
	Nanoseconds  Unit = "nanoseconds"
)

// Between these bounds lie the years from 1973 to 5138 in each unit, so that the
// magnitude tells it. A smaller number is no time: in seconds it would be before
// 2001, when nobody had a file of Open WebUI's.
const (
	earliest   = 1e9
	fromMillis = 1e11
	fromMicros = 1e14
	fromNanos  = 1e17
)

// secondsSQL divides by the unit.
const secondsSQL = `(CASE WHEN {t} >= 1e17 THEN {t} / 1e9 WHEN {t} >= 1e14 THEN {t} / 1e6 WHEN {t} >= 1e11 THEN {t} / 1e3 WHEN {t} >= 1e9 THEN {t} END)`

// UnitOf tells the unit of a time by its magnitude.
func UnitOf(time float64) Unit {
	switch {
	case time >= fromNanos:
		return Nanoseconds
	case time >= fromMicros:
		return Microseconds
	case time >= fromMillis:
		return Milliseconds
	case time >= earliest:
		return Seconds
	}
	return NoTime
}

// SecondsOf returns a time of table file in seconds since 1970. known is false for
// what is no time, and for one in the future, from a clock that was ahead: such a
// row is as old as it is known.
func SecondsOf(time, now float64) (seconds float64, known bool) {
	switch UnitOf(time) {
	case Nanoseconds:
		seconds = time / 1e9
	case Microseconds:
		seconds = time / 1e6
	case Milliseconds:
		seconds = time / 1e3
	case Seconds:
		seconds = time
	}
	return seconds, seconds > 0 && seconds <= now
}

// SecondsSQL is SecondsOf in SQL: NULL for what is not known. time and now are
// expressions of a floating point number.
func SecondsSQL(time, now string) string {
	s := strings.ReplaceAll(secondsSQL, "{t}", time)
	return "(CASE WHEN " + s + " <= " + now + " THEN " + s + " END)"
}

// Times counts the rows of table file by how a column of times is written.
type Times struct {
	Column                                        string
	None, Millis, Micros, Nanos, Future, Together int64
}

// TimesSQL counts them: the columns of Times, but for its name. now is an
// expression of seconds.
func TimesSQL(time, now string) string {
	return strings.NewReplacer("{t}", time, "{now}", now, "{s}", strings.ReplaceAll(secondsSQL, "{t}", time)).Replace(
		`count(*) FILTER (WHERE {t} < 1e9), count(*) FILTER (WHERE {t} >= 1e11 AND {t} < 1e14), count(*) FILTER (WHERE {t} >= 1e14 AND {t} < 1e17),
       count(*) FILTER (WHERE {t} >= 1e17), count(*) FILTER (WHERE {s} > {now} + 60), count(*)`)
}

// ExamineTimes tells of times that are not in seconds, or in the future. It is no
// failure: they are understood.
func ExamineTimes(all ...Times) Finding {
	f := Finding{Check: "times", OK: true, Detail: "those of table file are in seconds"}
	var said, remedies []string
	for _, t := range all {
		for _, some := range []struct {
			rows    int64
			unit    Unit
			divisor string
		}{{t.Millis, Milliseconds, "1000"}, {t.Micros, Microseconds, "1000000"}, {t.Nanos, Nanoseconds, "1000000000"}} {
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
		f.Do = "Open WebUI writes seconds: " + strings.Join(remedies, "; ")
	}
	return f
}
