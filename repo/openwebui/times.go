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

// units have the years from 1973 to 5138 between their bounds, so that the magnitude
// tells them. A smaller number is no time: in seconds it would be before 2001, when
// nobody had a file of Open WebUI's.
var units = []struct {
	unit            Unit
	from, perSecond float64
}{
	{Nanoseconds, 1e17, 1e9}, {Microseconds, 1e14, 1e6}, {Milliseconds, 1e11, 1e3}, {Seconds, 1e9, 1},
}

// secondsSQL divides by the unit.
const secondsSQL = `(CASE WHEN {t} >= 1e17 THEN {t} / 1e9 WHEN {t} >= 1e14 THEN {t} / 1e6 WHEN {t} >= 1e11 THEN {t} / 1e3 WHEN {t} >= 1e9 THEN {t} END)`

// UnitOf tells the unit of a time by its magnitude, and the time in seconds; zero of what
// is no time.
func UnitOf(time float64) (unit Unit, seconds float64) {
	for _, u := range units {
		if time >= u.from {
			return u.unit, time / u.perSecond
		}
	}
	return NoTime, 0
}

// SecondsOf returns a time of table file in seconds since 1970. known is false for
// what is no time, and for one in the future, from a clock that was ahead: such a
// row is as old as it is known.
func SecondsOf(time, now float64) (seconds float64, known bool) {
	_, seconds = UnitOf(time)
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
