package repo

import (
	"fmt"
	"time"
)

// NotMade is the finding before the first run.
func NotMade() Finding {
	return Finding{Check: "reference index", OK: true, Detail: "not there yet", Do: "pruned run makes it"}
}

// Candidates are counted by their directions.
type Candidates struct {
	Rows, Vectors, Bytes int64
	Oldest               time.Duration
}

// Examine tells how many there are.
func (c Candidates) Examine() Finding {
	f := Finding{Check: "candidates", OK: true, Detail: "none"}
	if c.Rows+c.Vectors+c.Bytes > 0 {
		f.Detail = fmt.Sprintf("%d rows, %d with vectors and %d with bytes but without a row; the oldest since %s",
			c.Rows, c.Vectors, c.Bytes, c.Oldest.Round(time.Second))
	}
	return f
}
