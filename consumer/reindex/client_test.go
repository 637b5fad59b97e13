package reindex

import (
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/cenkalti/backoff/v4"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const token = "hunter2"

// application answers as Open WebUI does about the texts of files: with the statuses that
// are left to be given, and then as it should.
type application struct {
	texts    map[string]string
	statuses []int // of requests to index
	saved    map[string]string
	asked    int
}

func (a *application) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	a.asked++
	if r.Header.Get("Authorization") != "Bearer "+token {
		http.Error(w, `{"detail":"a secret text"}`, http.StatusUnauthorized)
		return
	}
	id := r.PathValue("id")
	text, found := a.texts[id]
	if !found {
		http.Error(w, `{"detail":"a secret text"}`, http.StatusNotFound)
		return
	}
	if r.Method == http.MethodGet {
		_ = json.NewEncoder(w).Encode(map[string]string{"content": text})
		return
	}
	if len(a.statuses) > 0 {
		status := a.statuses[0]
		a.statuses = a.statuses[1:]
		w.Header().Set("Location", "/elsewhere")
		http.Error(w, `{"detail":"a secret text"}`, status)
		return
	}
	var form struct{ Content string }
	if err := json.NewDecoder(r.Body).Decode(&form); err != nil {
		http.Error(w, err.Error(), http.StatusUnprocessableEntity)
		return
	}
	a.saved[id] = form.Content
	_ = json.NewEncoder(w).Encode(map[string]string{"content": form.Content})
}

// serve starts the application, which may lie below a path of its own, and makes a client
// that does not pause.
func serve(t *testing.T, a *application) *Client {
	t.Helper()
	a.saved = map[string]string{}
	mux := http.NewServeMux()
	mux.Handle("GET /chat/api/v1/files/{id}/data/content", a)
	mux.Handle("POST /chat/api/v1/files/{id}/data/content/update", a)
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	c, err := New(server.URL+"/chat/", token)
	require.NoError(t, err)
	t.Cleanup(c.Close)
	c.pauses = func() backoff.BackOff { return backoff.WithMaxRetries(&backoff.ZeroBackOff{}, maxRetries) }
	return c
}

// A text is saved as it is, whatever its id.
func TestTextIsSavedAsItIs(t *testing.T) {
	t.Parallel()
	const text = "a <b>text</b> & \u2028 \x00 more"
	a := &application{texts: map[string]string{"a": text, "odd/../id": text, "image": " \n"}}
	c := serve(t, a)
	require.NoError(t, c.Reindex(t.Context(), "a"))
	require.NoError(t, c.Reindex(t.Context(), "odd/../id"))
	require.ErrorIs(t, c.Reindex(t.Context(), "image"), ErrNoText)
	require.Equal(t, map[string]string{"a": text, "odd/../id": text}, a.saved)
}

// What may pass is tried again, what does not is told at once, and nothing that the
// application says.
func TestStatuses(t *testing.T) {
	t.Parallel()
	for status, again := range map[int]bool{500: true, 502: true, 503: true, 429: true, 504: false, 400: false, 403: false, 404: false, 413: false, 301: false, 307: false} {
		a := &application{texts: map[string]string{"a": "text"}, statuses: []int{status, status}}
		err := serve(t, a).Reindex(t.Context(), "a")
		if again {
			require.NoError(t, err, status)
			require.Equal(t, "text", a.saved["a"])
			continue
		}
		var answer *StatusError
		require.ErrorAs(t, err, &answer)
		assert.Equal(t, status, answer.Status)
		require.Len(t, a.statuses, 1)
		require.ErrorContains(t, err, "file a")
		require.NotContains(t, err.Error(), "secret")
	}
}

// A server that does not recover is given up.
func TestTriesEnd(t *testing.T) {
	t.Parallel()
	a := &application{texts: map[string]string{"a": "text"}, statuses: []int{500, 500, 500, 500, 500, 500}}
	require.ErrorContains(t, serve(t, a).Reindex(t.Context(), "a"), "index the text of file a: Open WebUI answers 500")
	require.Len(t, a.statuses, 6-1-maxRetries)
}

func TestTokenAndFileThatAreNotKnown(t *testing.T) {
	t.Parallel()
	a := &application{texts: map[string]string{"a": "text"}}
	c := serve(t, a)
	require.ErrorContains(t, c.Reindex(t.Context(), "b"), "read the text of file b: Open WebUI answers 404")
	c.token = "another"
	err := c.Reindex(t.Context(), "a")
	require.ErrorContains(t, err, "OPEN_WEBUI_TOKEN does not hold")
	require.NotContains(t, err.Error(), "another")
	require.Equal(t, 2, a.asked)
}

// Nobody there is tried again, what is no Open WebUI is not; an interrupt ends it.
func TestAddressesWithoutAnOpenWebUI(t *testing.T) {
	t.Parallel()
	c := serve(t, &application{})
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("<html>")) }))
	c.files = server.URL
	require.ErrorContains(t, c.Reindex(t.Context(), "a"), "the answer is not Open WebUI's")
	server.Close()
	require.ErrorContains(t, c.Reindex(t.Context(), "a"), "connection refused")
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	require.ErrorIs(t, c.Reindex(ctx, "a"), context.Canceled)
}
