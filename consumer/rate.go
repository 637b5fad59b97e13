package consumer

import (
	"fmt"
	"strconv"
	"strings"
)

// maxRate is more than any installation handles; what is more is a slip.
const maxRate = 1e6

// ParseRate reads a rate as people write it: N/s, none (zero: no limit), or reset (nil:
// PRUNED_RATE holds again).
func ParseRate(text string) (perSecond *float64, err error) {
	switch text {
	case "reset":
		return nil, nil
	case "none":
		return new(float64), nil
	}
	number, isRate := strings.CutSuffix(text, "/s")
	n, err := strconv.ParseFloat(number, 64)
	if err != nil || !isRate || !(n > 0 && n <= maxRate) {
		return nil, fmt.Errorf("%q is no rate: wanted N/s such as 50/s or 0.5/s, none, or reset", text)
	}
	return &n, nil
}

// DescribeRate says how fast events are handled at most, where PRUNED_RATE is the setting.
func (c Control) DescribeRate(setting float64) string {
	perSecond, by := setting, "as PRUNED_RATE says"
	if c.Rate != nil {
		perSecond, by = c.Rate.PerSecond, "as was said by "+c.Rate.By
	}
	if perSecond == 0 {
		return "no limit of the rate, " + by
	}
	return fmt.Sprintf("at most %s events/s in each process, %s", strconv.FormatFloat(perSecond, 'f', -1, 64), by)
}

// Describe says whether the work goes on, and how fast.
func (c Control) Describe(setting float64) string {
	if err := c.WhyPaused(); err != nil {
		return err.Error()
	}
	return "goes on, " + c.DescribeRate(setting)
}
