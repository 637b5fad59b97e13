package main

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"github.com/stretchr/testify/require"

	"pruned/repo/testenv"
)

// hook is a receiver of notifications, which may refuse them.
type hook struct {
	*httptest.Server
	refuses atomic.Bool
	took    chan string // bodies, whose signature was right
}

const hookSecret = "a-secret-of-the-hook"

func newHook(t *testing.T) *hook {
	t.Helper()
	h := &hook{took: make(chan string, 100)}
	h.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		mac := hmac.New(sha256.New, []byte(hookSecret))
		mac.Write(body)
		if h.refuses.Load() || err != nil || r.Header.Get("Pruned-Signature") != "sha256="+hex.EncodeToString(mac.Sum(nil)) {
			w.WriteHeader(http.StatusServiceUnavailable)
			return
		}
		h.took <- string(body)
	}))
	t.Cleanup(h.Close)
	return h
}

// next is the next notification of a type.
func (h *hook) next(t *testing.T, typ string) (body string, data map[string]any) {
	t.Helper()
	for {
		select {
		case body = <-h.took:
		case <-time.After(signalTimeout):
			require.FailNow(t, "no notification of type "+typ)
		}
		var event struct {
			Type string
			Data map[string]any
		}
		require.NoError(t, json.Unmarshal([]byte(body), &event), body)
		if event.Type == typ {
			return body, event.Data
		}
	}
}

// A sweep that is held, and an event that becomes a dead letter, are told, also when the
// receiver was away meanwhile, and the process was started anew. Nothing of a row, of a
// message or of the settings is told, nor logged.
func TestNotificationsTellWhatNeedsAPerson(t *testing.T) {
	t.Parallel()
	h := newHook(t)
	secretFile := filepath.Join(t.TempDir(), "secret")
	require.NoError(t, os.WriteFile(secretFile, []byte(hookSecret+"\n"), 0o600))
	i := install(t, testenv.Vectors(small)).with("PRUNED_NOTIFY_URL="+h.URL+"/hooks/t0ken-of-the-hook", "PRUNED_NOTIFY_SECRET_FILE="+secretFile, "PRUNED_WEBHOOK_TOKEN="+hookToken)
	seeded := i.seed(t, 40, 20)
	guilty := seeded.Orphans[3]
	i.Exec(t, fmt.Sprintf(obstacles[0].sql, guilty))
	i.Exec(t, `UPDATE file SET filename = 'planted-name.txt', data = '{"content": "planted-content"}', meta = '{"name": "planted-name.txt"}'`)

	h.refuses.Store(true)
	d := i.start(t)
	d.comesTo(t, "it has begun", func(g gauges) bool { return len(g) > 0 })
	i.publish(t, seeded.Orphans[:5]...)
	d.comesTo(t, "the receiver refuses both", func(g gauges) bool {
		return g["pruned_queue_dead_letters"] == 1 && g[`pruned_holds{direction="row"}`] == 1 && g[`pruned_notifications_total{result="failed"}`] >= 2 && g[count("deleted")] == 4
	})
	require.Zero(t, d.stop(t), "nothing waits for the receiver")
	told := d.errs.String()

	h.refuses.Store(false)
	d = i.start(t)
	d.comesTo(t, "it has begun", func(g gauges) bool { return len(g) > 0 })
	held, data := h.next(t, "pruned.sweep.held")
	require.Equal(t, "row", data["direction"])
	require.Equal(t, fmt.Sprintf("pruned sweep --confirm %s", data["id"]), data["command"])
	page, _ := d.comesTo(t, "both are told", func(g gauges) bool { return g[`pruned_notifications_total{result="sent"}`] >= 2 })
	d.seen.requireMoved(t, "notifications")
	require.Zero(t, d.stop(t))
	told += d.errs.String() + held + page
	for len(h.took) > 0 {
		told += <-h.took
	}
	require.Contains(t, told, "pruned.event.dead")
	for _, planted := range []string{"t0ken-of-the-hook", hookSecret, hookToken, "planted-name", "planted-content"} {
		require.NotContains(t, told, planted)
	}
	letters := ask[[]letter](t, i, "dead", "list")
	require.Len(t, letters, 1)
	require.Contains(t, told, "pruned dead show "+letters[0].Name)
}

// publishRaw stores a message that nobody has looked at.
func publishRaw(t *testing.T, i *installation, payload string) {
	t.Helper()
	i.client(t, func(_ *nats.Conn, js jetstream.JetStream) {
		_, err := js.Publish(t.Context(), "pruned.orphan.plugin", []byte(payload))
		require.NoError(t, err)
	})
}

// What was told before is not told again: the queue remembers it.
func TestDeadLetterIsToldOnce(t *testing.T) {
	t.Parallel()
	h := newHook(t)
	i, world := scratch(t, "PRUNED_NOTIFY_URL="+h.URL, "PRUNED_NOTIFY_SECRET="+hookSecret, "PRUNED_MAX_FRACTION=1")
	require.NotEmpty(t, world.Files)
	d := i.start(t)
	publishRaw(t, i, "planted, and no event at all")
	body, data := h.next(t, "pruned.event.dead")
	require.Equal(t, "invalid", data["kind"])
	require.NotContains(t, body, "planted")
	require.Zero(t, d.stop(t))
	d = i.start(t)
	publishRaw(t, i, "another")
	_, other := h.next(t, "pruned.event.dead")
	require.NotEqual(t, data["name"], other["name"])
	require.Zero(t, d.stop(t))
}
