package bucket

import (
	"net/http"
	"strconv"
	"time"
)

// Retry tries requests without a body again, with pauses that grow: 429, 5xx, a broken
// connection. Each may be sent twice: it reads, or removes.
type Retry struct {
	Transport http.RoundTripper
	Tries     int
}

const maxPause = 30 * time.Second

// RoundTrip is the transport's.
func (r Retry) RoundTrip(request *http.Request) (response *http.Response, err error) {
	for try := range r.Tries {
		response, err = r.Transport.RoundTrip(request)
		if try == r.Tries-1 || err == nil && !isPassing(response.StatusCode) {
			break
		}
		pause := 100 * time.Millisecond << (2 * try)
		if err == nil {
			if after, failed := strconv.Atoi(response.Header.Get("Retry-After")); failed == nil {
				pause = time.Duration(after) * time.Second
			}
			_ = response.Body.Close() // it said enough
		}
		select {
		case <-request.Context().Done():
			return nil, request.Context().Err()
		case <-time.After(min(pause, maxPause)):
		}
	}
	return response, err
}

// isPassing says that a server may answer otherwise in a moment.
func isPassing(status int) bool {
	return status == http.StatusTooManyRequests || status >= http.StatusInternalServerError && status != http.StatusNotImplemented
}
