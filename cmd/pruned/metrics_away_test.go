package main

import (
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"pruned/repo/testenv"
)

// wire is a network between a daemon and its database that can lose every answer.
type wire struct {
	listener net.Listener
	server   string
	silent   atomic.Bool
	running  sync.WaitGroup
	mu       sync.Mutex
	lines    []net.Conn
}

// through is the installation with its database behind a wire.
func (i *installation) through(t *testing.T) (*installation, *wire) {
	t.Helper()
	u, err := url.Parse(i.URL)
	require.NoError(t, err)
	w := &wire{server: u.Host}
	w.listener, err = net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	u.Host = w.listener.Addr().String()
	w.running.Go(w.accept)
	t.Cleanup(w.cut)
	return i.with("DATABASE_URL=" + u.String()), w
}

func (w *wire) accept() {
	for {
		line, err := w.listener.Accept()
		if err != nil {
			return
		}
		server, err := net.Dial("tcp", w.server)
		if err != nil {
			line.Close()
			continue
		}
		w.mu.Lock()
		w.lines = append(w.lines, line, server)
		w.mu.Unlock()
		w.running.Go(func() { _, _ = io.Copy(server, line); server.Close() })
		w.running.Go(func() { _, _ = io.Copy(answers{w, line}, server); line.Close() })
	}
}

// answers are lost while the wire is silent.
type answers struct {
	wire *wire
	to   net.Conn
}

func (a answers) Write(p []byte) (int, error) {
	if a.wire.silent.Load() {
		return len(p), nil
	}
	return a.to.Write(p)
}

// cut ends the wire: nobody is there any more.
func (w *wire) cut() {
	w.listener.Close()
	w.mu.Lock()
	for _, line := range w.lines {
		line.Close()
	}
	w.mu.Unlock()
	w.running.Wait()
}

// maxScrape is how long a scrape may take, whatever is away: Prometheus' own limit, where
// nobody set another.
const maxScrape = 10 * time.Second

// timedScrape scrapes as one of several.
func timedScrape(url string) (status int, page string, took time.Duration) {
	start := time.Now()
	response, err := http.Get(url + "/metrics")
	if err != nil {
		return 0, err.Error(), 0
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		return 0, err.Error(), 0
	}
	return response.StatusCode, string(body), time.Since(start)
}

// While the database says nothing, or is not there, scrapes end soon, several at once as
// well, and tell the rest.
func TestScrapesWhileTheDatabaseIsAway(t *testing.T) {
	t.Parallel()
	i, wire := install(t, testenv.Vectors(small)).through(t)
	d := i.start(t)
	d.comesTo(t, "all is told", func(g gauges) bool { return g["pruned_ready"] == 1 && g["pruned_sweep_last_duration_seconds"] > 0 })
	url := d.url(t)
	failures := func(page string) bool {
		return !strings.Contains(page, `pruned_scrape_errors_total{source="tombstones"} 0`)
	}
	away := func(how string) {
		type answer struct {
			status int
			page   string
			took   time.Duration
		}
		answered := make(chan answer)
		const times = 2
		for range times {
			go func() {
				status, page, took := timedScrape(url)
				answered <- answer{status, page, took}
			}()
		}
		for range times {
			a := <-answered
			require.Equal(t, http.StatusOK, a.status, "%s: %s", how, a.page)
			require.Less(t, a.took, maxScrape, how)
			require.True(t, failures(a.page), "%s:\n%s", how, a.page)
			for _, there := range []string{"pruned_queue_pending_events ", "pruned_queue_dead_letters ", "pruned_sweep_last_duration_seconds ", "pruned_ready ", "go_goroutines "} {
				require.Contains(t, a.page, "\n"+there, how)
			}
			for _, missing := range []string{"pruned_tombstones{", "pruned_holds{", "pruned_index_age_seconds "} {
				require.NotContains(t, a.page, "\n"+missing, how)
			}
		}
	}
	wire.silent.Store(true)
	away("it is silent")
	wire.cut()
	away("it is gone")
	http.DefaultClient.CloseIdleConnections()
	require.Zero(t, d.stop(t))
}
