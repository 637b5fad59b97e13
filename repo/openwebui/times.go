package openwebui

import "strings"

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

// TimesSQL counts the rows of table file by how a column of times is written: no
// time, in milliseconds, microseconds, nanoseconds, in the future, all. now is an
// expression of seconds.
func TimesSQL(time, now string) string {
	return strings.NewReplacer("{t}", time, "{now}", now, "{s}", strings.ReplaceAll(secondsSQL, "{t}", time)).Replace(
		`count(*) FILTER (WHERE {t} < 1e9), count(*) FILTER (WHERE {t} >= 1e11 AND {t} < 1e14), count(*) FILTER (WHERE {t} >= 1e14 AND {t} < 1e17),
       count(*) FILTER (WHERE {t} >= 1e17), count(*) FILTER (WHERE {s} > {now} + 60), count(*)`)
}
