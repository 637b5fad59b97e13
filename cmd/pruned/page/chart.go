package page

import (
	"fmt"
	"time"
)

// part is one piece of a stacked bar. X and Width are in thousandths of it.
type part struct {
	Name, Class, Link string
	Count             int64
	X, Width          float64
}

// minPart is how wide a piece is at least that is not empty, so that it is seen.
const minPart = 4.0

// stack lays pieces side by side by their counts, over a thousand.
func stack(parts []part) []part {
	var total, room float64 = 0, 1000
	for _, p := range parts {
		total += float64(p.Count)
	}
	if total == 0 {
		return parts
	}
	for i := range parts {
		if width := 1000 * float64(parts[i].Count) / total; parts[i].Count > 0 && width < minPart {
			parts[i].Width, room, total = minPart, room-minPart, total-float64(parts[i].Count)
		}
	}
	x := 0.0
	for i := range parts {
		if parts[i].Width == 0 && total > 0 {
			parts[i].Width = room * float64(parts[i].Count) / total
		}
		parts[i].X = x
		x += parts[i].Width
	}
	return parts
}

// days is a chart of what was freed on each of the last days.
type days struct {
	Bars  []bar
	Total int64
	Most  bar
}

// bar is one day. Height and Y are in hundredths of the most.
type bar struct {
	Day       time.Time
	Count     int64
	X         int
	Y, Height float64
}

const (
	shownDays = 30
	barStep   = 10 // the width of a day
)

func (b bar) String() string {
	return fmt.Sprintf("%s: %s", b.Day.Format("2 January"), commaOf(b.Count))
}

// chartDays makes the chart of the days up to today.
func chartDays(counts map[time.Time]int64, now time.Time) (d days) {
	today := now.UTC().Truncate(24 * time.Hour)
	for i := range shownDays {
		day := today.AddDate(0, 0, i+1-shownDays)
		b := bar{Day: day, Count: counts[day], X: i * barStep}
		d.Total += b.Count
		if b.Count > d.Most.Count {
			d.Most = b
		}
		d.Bars = append(d.Bars, b)
	}
	for i := range d.Bars {
		if d.Most.Count > 0 {
			d.Bars[i].Height = 100 * float64(d.Bars[i].Count) / float64(d.Most.Count)
		}
		if d.Bars[i].Count > 0 {
			d.Bars[i].Height = max(d.Bars[i].Height, 2)
		}
		d.Bars[i].Y = 100 - d.Bars[i].Height
	}
	return d
}
