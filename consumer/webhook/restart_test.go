package webhook

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/sync/errgroup"
)

const (
	requests = 10_000
	together = 64
	restarts = 3
)

// Everything that was answered 202 is in the stream, once, also when the queue
// goes away and comes back while requests come.
func TestNothingAcceptedIsLost(t *testing.T) {
	t.Parallel()
	queue := startServer(t)
	q, js := queue.open(t, 1<<30)
	h, _ := newHandler(t, q)
	web := httptest.NewServer(h)
	defer web.Close()
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: together}}
	defer client.CloseIdleConnections()

	// One that restarts the queue whenever so many were answered.
	marks := make(chan struct{}, restarts)
	var restarter errgroup.Group
	restarter.Go(func() error {
		for range marks {
			queue.stop()
			if err := queue.start(); err != nil {
				return err
			}
		}
		return nil
	})
	var status [requests]int
	var answered atomic.Int64
	var senders errgroup.Group
	senders.SetLimit(together)
	for i := range requests {
		senders.Go(func() (err error) {
			status[i], err = send(t.Context(), client, web.URL+"/webhook/"+token, numbered(t, i))
			if n := answered.Add(1); n%(requests/(restarts+1)) == 0 && n < requests {
				marks <- struct{}{}
			}
			return err
		})
	}
	require.NoError(t, senders.Wait())
	close(marks)
	require.NoError(t, restarter.Wait())

	require.Eventually(t, func() bool { return q.PublishEvent(t.Context(), last) == nil }, patient, pause)
	held := stored(t, js)
	counts := map[int]int{}
	for i, code := range status {
		counts[code]++
		messages := held[fmt.Sprint(i)]
		require.LessOrEqual(t, len(messages), 1, "event %d", i)
		if code == http.StatusAccepted {
			require.Len(t, messages, 1, "event %d", i)
		}
	}
	t.Logf("answers by status: %v", counts)
	require.Equal(t, requests, counts[202]+counts[503], "answers by status: %v", counts)
	require.Greater(t, counts[202], requests/2)
}

// numbered is an event of which the number is the id; every tenth is an event.
func numbered(t *testing.T, i int) string {
	if i%10 == 0 {
		return deleted(t, fmt.Sprint(i), fmt.Sprintf("file-%d", i))
	}
	return fmt.Sprintf(`{"id":"%d","event":"chat.deleted","subject":{"type":"chat","id":"chat-%d"},"data":{"owner_id":"someone"}}`, i, i)
}

var last = notification{id: "last", file: "last"}.orphanEvent()

func send(ctx context.Context, client *http.Client, url, body string) (int, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, url, strings.NewReader(body))
	if err != nil {
		return 0, err
	}
	request.Header.Set("Content-Type", "application/json")
	response, err := client.Do(request)
	if err != nil {
		return 0, err
	}
	defer response.Body.Close()
	_, err = io.Copy(io.Discard, response.Body)
	return response.StatusCode, err
}
