package webhook

import (
	"bytes"
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"sync"
	"testing"

	"github.com/rs/zerolog"
	"github.com/stretchr/testify/require"

	"pruned/consumer/event"
	"pruned/repo/testenv"
)

func TestMain(m *testing.M) { testenv.Main(m) }

const token = "the-right-token"

// hint is a hint that a queue was given.
type hint struct {
	id, event string
	payload   []byte
}

// memory is a queue that keeps what it is given, or fails as it is told.
type memory struct {
	mu      sync.Mutex
	hints   []hint
	orphans []event.Event
	fail    func() error
}

func (m *memory) PublishHint(_ context.Context, id, event string, payload []byte) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.fail != nil {
		if err := m.fail(); err != nil {
			return err
		}
	}
	m.hints = append(m.hints, hint{id, event, payload})
	return nil
}

func (m *memory) PublishEvent(_ context.Context, e event.Event) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.orphans = append(m.orphans, e)
	return nil
}

// lines is a log that the test reads while it is written.
type lines struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (l *lines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

func (l *lines) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

// newHandler returns a handler, and its log.
func newHandler(t testing.TB, q Queue) (*Handler, *lines) {
	t.Helper()
	log := &lines{}
	h, err := New(Options{Token: token, Queue: q, Log: zerolog.New(log)})
	require.NoError(t, err)
	return h, log
}

// post makes a request as Open WebUI does.
func post(path, body string) *http.Request {
	r := httptest.NewRequest(http.MethodPost, path, strings.NewReader(body))
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("User-Agent", "Python/3.11 aiohttp/3.14.5")
	return r
}

func answer(h http.Handler, r *http.Request) *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

// bodies are some of every event in the catalogue of Open WebUI 0.12.4, made by
// its own build_event.
func bodies(t testing.TB) []string {
	t.Helper()
	file, err := os.ReadFile("testdata/events.jsonl")
	require.NoError(t, err)
	return strings.Split(strings.TrimSpace(string(file)), "\n")
}

func body(t testing.TB, members map[string]any) string {
	t.Helper()
	encoded, err := json.Marshal(members)
	require.NoError(t, err)
	return string(encoded)
}

// deleted is an event of a deleted file, with other members where they are given.
func deleted(t testing.TB, id, file string) string {
	return body(t, map[string]any{"id": id, "event": "file.deleted", "created_at": 1795373741, "subject": map[string]any{"type": "file", "id": file}})
}
