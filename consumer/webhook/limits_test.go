package webhook

import (
	"fmt"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestFailuresAreLimitedByAddress(t *testing.T) {
	t.Parallel()
	l := newLimits()
	now := time.Now()
	allowed := func(address string, tries int) (n int) {
		for i := range tries {
			if l.allow(fmt.Sprintf("%s:%d", address, 1000+i), now) {
				n++
			}
		}
		return n
	}
	require.Equal(t, failuresAtOnce, allowed("192.0.2.1", 100))
	require.Equal(t, failuresAtOnce, allowed("192.0.2.2", 100))
	require.Zero(t, allowed("[::ffff:192.0.2.1]", 1), "the same, written otherwise")
	require.Equal(t, failuresAtOnce, allowed("[2001:db8::1]", 100))
	require.Zero(t, allowed("[2001:db8::ffff:1]", 1), "the same network")
	require.Equal(t, failuresAtOnce, allowed("[2001:db8:0:1::1]", 100))
	require.Equal(t, failuresAtOnce, allowed("nobody knows", 100))

	now = now.Add(3 * failureEvery)
	require.Equal(t, 3, allowed("192.0.2.1", 100))
}

// However many addresses there are, their limits take the same memory, and the
// right token is not asked for its address.
func TestStrangersDoNotStopThoseWithTheToken(t *testing.T) {
	t.Parallel()
	h, log := newHandler(t, &memory{})
	seen := map[int]int{}
	for i := range 3 * failuresAtOnce {
		w := answer(h, post("/webhook/wrong", simple))
		seen[w.Code]++
		if w.Code == http.StatusTooManyRequests {
			require.Equal(t, "1", w.Header().Get("Retry-After"))
		}
		require.Equal(t, 202, answer(h, post("/webhook/"+token, fmt.Sprintf(`{"id":"%d","event":"x"}`, i))).Code)
	}
	require.GreaterOrEqual(t, seen[http.StatusUnauthorized], failuresAtOnce)
	require.NotZero(t, seen[http.StatusTooManyRequests])
	require.Len(t, seen, 2)
	// Nor do failures with it count.
	for range 3 * failuresAtOnce {
		require.Equal(t, 400, answer(h, post("/webhook/"+token, "{}")).Code)
	}
	require.Less(t, len(log.String()), 2000, "a flood of requests is none of lines")
}
