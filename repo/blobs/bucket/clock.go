package bucket

import (
	"net/http"
	"sync/atomic"
	"time"
)

// Clock hears the server's time from its answers. Times of objects are by that clock: by
// one of ours that is ahead, an upload under way would be old.
type Clock struct {
	Transport http.RoundTripper
	ahead     atomic.Int64
}

// RoundTrip is the transport's.
func (c *Clock) RoundTrip(r *http.Request) (*http.Response, error) {
	response, err := c.Transport.RoundTrip(r)
	if err == nil {
		if now, err := http.ParseTime(response.Header.Get("Date")); err == nil {
			c.ahead.Store(int64(time.Until(now)))
		}
	}
	return response, err
}

// AgeOf is how old something was when the server last answered.
func (c *Clock) AgeOf(modified time.Time) time.Duration {
	return max(time.Since(modified)+time.Duration(c.ahead.Load()), 0)
}
