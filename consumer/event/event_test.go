package event

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

const good = `{"specversion":"1.0","id":"1","source":"s","type":"pruned.file.orphaned","subject":"f","time":"2026-01-02T03:04:05.6Z","data":{"reason":"r"},"unknown":[1]}`

func TestParseEvent(t *testing.T) {
	t.Parallel()
	e, err := Parse([]byte(good))
	require.NoError(t, err)
	require.Equal(t, Event{
		ID: "1", Source: "s", Type: FileOrphaned, Subject: "f", Reason: "r",
		Time: time.Date(2026, 1, 2, 3, 4, 5, 600_000_000, time.UTC),
	}, e)
}

// What events are about is told apart by their type: a collection may be called like a file.
func TestKeyTellsWhatAnEventIsAbout(t *testing.T) {
	t.Parallel()
	require.Equal(t, "f", New("f", "s", "").Key())
	require.Equal(t, "pruned.collection.orphaned/f", NewOf(CollectionOrphaned, "f", "s", "").Key())
	point := NewOf(PointsOrphaned, "c/f", "s", "")
	require.Equal(t, "pruned.points.orphaned/c/f", point.Key())
	again, err := Parse(point.Encode())
	require.NoError(t, err)
	require.Equal(t, point.Key(), again.Key())
}

func TestParseEventSaysWhatIsWrong(t *testing.T) {
	t.Parallel()
	replace := func(old, by string) string { return strings.Replace(good, old, by, 1) }
	cases := map[string]struct {
		payload string
		says    []string
	}{
		"nothing":          {"", []string{`""`, "JSON"}},
		"not JSON":         {"hello", []string{`"hello"`, "JSON"}},
		"a list":           {"[]", []string{`"[]"`, "JSON object"}},
		"two objects":      {good + good, []string{"JSON object"}},
		"too large":        {replace(`"r"`, `"`+strings.Repeat("r", maxPayload)+`"`), []string{"65536"}},
		"no specversion":   {replace(`"specversion"`, `"version"`), []string{"specversion", "missing"}},
		"old specversion":  {replace(`"1.0"`, `"0.3"`), []string{"specversion", `"0.3"`, `"1.0"`}},
		"no id":            {replace(`"id":"1",`, ``), []string{"id", "missing"}},
		"null id":          {replace(`"id":"1"`, `"id":null`), []string{"id", "null", "text"}},
		"empty source":     {replace(`"source":"s"`, `"source":""`), []string{"source", `""`}},
		"another type":     {replace(`pruned.file.orphaned`, `x`), []string{"type", `"x"`, FileOrphaned, CollectionOrphaned, PointsOrphaned}},
		"a point of none":  {strings.Replace(replace(`pruned.file.orphaned`, PointsOrphaned), `"f"`, `"c/"`, 1), []string{"subject", `"c/"`, "slash"}},
		"capital subject":  {replace(`"subject"`, `"Subject"`), []string{"subject", "missing"}},
		"a number":         {replace(`"subject":"f"`, `"subject":7`), []string{"subject", "7", "text"}},
		"long subject":     {replace(`"f"`, `"`+strings.Repeat("f", 1025)+`"`), []string{"subject", "1024", "1025"}},
		"NUL":              {replace(`"f"`, `"f\u0000"`), []string{"subject", "NUL"}},
		"lone surrogate":   {replace(`"f"`, `"\ud800"`), []string{"subject", "UTF-8"}},
		"broken encoding":  {replace(`"f"`, "\"\xff\""), []string{"UTF-8"}},
		"time of day":      {replace(`2026-01-02T03:04:05.6Z`, `noon`), []string{"time", `"noon"`, "RFC 3339"}},
		"time is a number": {replace(`"2026-01-02T03:04:05.6Z"`, `5`), []string{"time", "5"}},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := Parse([]byte(c.payload))
			for _, s := range c.says {
				require.ErrorContains(t, err, s)
			}
			require.Less(t, len(err.Error()), 300)
		})
	}
}

func TestForeignDataMakesNoEventInvalid(t *testing.T) {
	t.Parallel()
	for data, want := range map[string]string{
		`null`:                  "",
		`"text"`:                "",
		`{"reason":5}`:          "",
		`{"reason":"a\u0000b"}`: "ab",
		`{"reason":"` + strings.Repeat("ü", 1024) + `"}`: strings.Repeat("ü", 512),
	} {
		e, err := Parse([]byte(strings.Replace(good, `{"reason":"r"}`, data, 1)))
		require.NoError(t, err, data)
		require.Equal(t, want, e.Reason, data)
	}
}

func TestEventSurvivesItsEncoding(t *testing.T) {
	t.Parallel()
	text := rapid.String().Filter(func(s string) bool { return ValidateText(s) == nil })
	rapid.Check(t, func(t *rapid.T) {
		e := New(text.Draw(t, "file"), text.Draw(t, "source"), rapid.String().Draw(t, "reason"))
		back, err := Parse(e.Encode())
		require.NoError(t, err)
		require.Equal(t, e, back)
	})
}

func TestMsgIDIsUniquePerPair(t *testing.T) {
	t.Parallel()
	a := Event{Source: "x/y", ID: "z"}
	b := Event{Source: "x", ID: "y/z"}
	require.NotEqual(t, a.MsgID(), b.MsgID())
	require.Equal(t, a.MsgID(), Event{Source: "x/y", ID: "z", Subject: "another"}.MsgID())
	require.Regexp(t, `^[\w-]{22}$`, Event{Source: "a\r\nb", ID: strings.Repeat("c", 1000)}.MsgID())
}

func FuzzParseEvent(f *testing.F) {
	f.Add([]byte(good))
	f.Add([]byte(`{"specversion":"1.0","id":"\u0000","source":"\ud800","type":"pruned.file.orphaned","subject":"` + "\xff" + `"}`))
	f.Add([]byte(`{"time":null,"data":null}`))
	f.Fuzz(func(t *testing.T, payload []byte) {
		e, err := Parse(payload)
		if err != nil {
			return
		}
		if err := e.Validate(); err != nil {
			t.Fatalf("parsed, but invalid: %v", err)
		}
		back, err := Parse(e.Encode())
		if err != nil {
			t.Fatalf("an event that was parsed does not survive its encoding: %v", err)
		}
		if !back.Time.Equal(e.Time) {
			t.Fatalf("time %v became %v", e.Time, back.Time)
		}
		back.Time = e.Time
		if back != e {
			t.Fatalf("%+v became %+v", e, back)
		}
	})
}
