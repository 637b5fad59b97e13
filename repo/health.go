package repo

import (
	"fmt"
	"time"
)

// CandidateSummary are counted by their directions.
type CandidateSummary struct {
	Rows, Vectors, Bytes int64
	Oldest               time.Duration
}

// ToFinding tells how many there are.
func (c CandidateSummary) ToFinding() Finding {
	f := Finding{Check: "candidates", OK: true, Detail: "none"}
	if c.Rows+c.Vectors+c.Bytes > 0 {
		f.Detail = fmt.Sprintf("%d rows, %d with vectors and %d with bytes but without a row; the oldest since %s",
			c.Rows, c.Vectors, c.Bytes, c.Oldest.Round(time.Second))
	}
	return f
}
