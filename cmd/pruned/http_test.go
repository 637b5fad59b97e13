package main

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"

	"github.com/rs/zerolog"
	"github.com/stretchr/testify/require"
)

func well(context.Context) (string, error) { return "", nil }

func ill(context.Context) (string, error) {
	return "a sweep is held\n", errors.Join(errors.New("the database is away"), errors.New("so are <the uploads>"))
}

// figures are the metrics of no process.
var figures = http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("pruned_ready 1\n")) })

// serving serves until the test ends and returns the URL.
func serving(t *testing.T, handler http.Handler) (url string, stop func() error) {
	t.Helper()
	address, stop, err := serveHTTP(t.Context(), "PRUNED_HTTP", "127.0.0.1:0", newServer(handler, zerolog.Nop()))
	require.NoError(t, err)
	return "http://" + address.String(), stop
}

// call makes a request on a connection of its own.
func call(t *testing.T, method, url string) (status int, body string) {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), method, url, nil)
	require.NoError(t, err)
	request.Close = true
	response, err := http.DefaultClient.Do(request)
	require.NoError(t, err)
	defer response.Body.Close()
	answer, err := io.ReadAll(response.Body)
	require.NoError(t, err)
	return response.StatusCode, string(answer)
}

func TestRoutes(t *testing.T) {
	t.Parallel()
	webhook := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusAccepted) })
	open, stop := serving(t, newRoutes(well, ill, figures, webhook, nil))
	defer func() { require.NoError(t, stop()) }()
	closed, stopClosed := serving(t, newRoutes(well, well, figures, nil, nil))
	defer func() { require.NoError(t, stopClosed()) }()

	for _, c := range []struct {
		method, url string
		status      int
		body        string
	}{
		{"GET", open + "/healthz", 200, "ok\n"},
		{"GET", open + "/livez", 200, `{"ok":true,"reasons":[],"notes":[]}` + "\n"},
		{"GET", open + "/readyz", 503, `{"ok":false,"reasons":["the database is away","so are <the uploads>"],"notes":["a sweep is held"]}` + "\n"},
		{"GET", closed + "/readyz", 200, `{"ok":true,"reasons":[],"notes":[]}` + "\n"},
		{"HEAD", closed + "/readyz", 200, ""},
		{"GET", closed + "/metrics", 200, "pruned_ready 1\n"},
		{"POST", closed + "/metrics", 405, "Method Not Allowed\n"},
		{"POST", closed + "/readyz", 405, "Method Not Allowed\n"},
		{"POST", open + "/webhook", 202, ""},
		{"POST", open + "/webhook/", 202, ""},
		{"POST", open + "/webhook/token", 202, ""},
		{"POST", open + "/webhook?token=t", 202, ""},
		{"POST", open + "/webhooks", 404, "404 page not found\n"},
		{"POST", closed + "/webhook/token", 404, "404 page not found\n"},
		{"GET", open + "/", 404, "404 page not found\n"},
	} {
		status, body := call(t, c.method, c.url)
		require.Equal(t, c.status, status, "%s %s", c.method, c.url)
		require.Equal(t, c.body, body, "%s %s", c.method, c.url)
	}
}

func TestTakenAddressNamesItsSetting(t *testing.T) {
	t.Parallel()
	url, stop := serving(t, newRoutes(well, well, figures, nil, nil))
	defer func() { require.NoError(t, stop()) }()
	address := strings.TrimPrefix(url, "http://")
	_, _, err := serveHTTP(t.Context(), "PRUNED_HTTP", address, newServer(newRoutes(well, well, figures, nil, nil), zerolog.Nop()))
	require.ErrorContains(t, err, "PRUNED_HTTP")
	require.ErrorContains(t, err, address)
}

func TestStopLetsRequestsEnd(t *testing.T) {
	t.Parallel()
	entered, leave := make(chan struct{}), make(chan struct{})
	url, stop := serving(t, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		close(entered)
		<-leave
		w.WriteHeader(http.StatusAccepted)
	}))
	status, stopped := make(chan int, 1), make(chan error, 1)
	go func() {
		response, err := http.Get(url)
		if err != nil {
			status <- 0
			return
		}
		response.Body.Close()
		status <- response.StatusCode
	}()
	<-entered
	go func() { stopped <- stop() }()
	require.Eventually(t, func() bool {
		conn, err := net.Dial("tcp", strings.TrimPrefix(url, "http://"))
		if err == nil {
			conn.Close()
		}
		return err != nil
	}, signalTimeout, pollEvery, "no more requests are taken")
	close(leave)
	require.Equal(t, http.StatusAccepted, <-status)
	require.NoError(t, <-stopped)
	http.DefaultClient.CloseIdleConnections()
}

func TestNobodyKeepsAConnectionForEver(t *testing.T) {
	t.Parallel()
	server := newServer(nil, zerolog.Nop())
	require.NotZero(t, server.ReadHeaderTimeout)
	require.NotZero(t, server.IdleTimeout)
	require.NotZero(t, server.MaxHeaderBytes)
	// A body that comes slowly leaves time for the queue's answer.
	require.Greater(t, server.WriteTimeout, server.ReadTimeout)
	require.Greater(t, server.ReadTimeout, server.ReadHeaderTimeout)
}
