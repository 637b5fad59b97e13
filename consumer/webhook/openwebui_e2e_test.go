//go:build e2e

package webhook

import (
	"encoding/json"
	"fmt"
	"net/http/httptest"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"pruned/repo/testenv/openwebui"
)

// told is what the running application told about one file: the names of its
// events, and events with a mark.
type told map[string][]string

// TestE2EEventsOfARunningApplication registers the webhook with a real Open
// WebUI and has it do what it tells about.
func TestE2EEventsOfARunningApplication(t *testing.T) {
	t.Parallel()
	app, err := openwebui.Start(t.Context(), openwebui.Options{DataDir: t.TempDir(), VectorDB: openwebui.Chroma})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, app.Stop()) })
	q := &memory{}
	h, log := newHandler(t, q)
	web := httptest.NewServer(h)
	t.Cleanup(web.Close)
	byPath, err := app.RegisterWebhook(t.Context(), web.URL+Path+"/"+token)
	require.NoError(t, err)

	kept, err := app.Upload(t.Context(), "kept.txt", "This one moves.", true)
	require.NoError(t, err)
	lost, err := app.Upload(t.Context(), "lost.txt", "This one goes.", true)
	require.NoError(t, err)
	from, err := app.CreateKnowledge(t.Context(), "From")
	require.NoError(t, err)
	to, err := app.CreateKnowledge(t.Context(), "To")
	require.NoError(t, err)
	require.NoError(t, app.AddToKnowledge(t.Context(), from, kept))
	require.NoError(t, app.MoveFile(t.Context(), kept, from, to))

	// The other form of the address serves as well.
	require.NoError(t, app.DeleteWebhook(t.Context(), byPath))
	_, err = app.RegisterWebhook(t.Context(), web.URL+Path+"?token="+token)
	require.NoError(t, err)
	require.NoError(t, app.DeleteFile(t.Context(), lost))

	// The application sends in the background, in any order.
	require.Eventually(t, func() bool {
		seen := q.told(t)
		return slices.Contains(seen[lost], "claim: file.deleted") && slices.Contains(seen[kept], "knowledge.file.removed")
	}, patient, pause)
	seen := q.told(t)
	t.Logf("told: %v", seen)
	require.Contains(t, seen[lost], "file.uploaded")
	require.Contains(t, seen[kept], "knowledge.file.added")
	require.NotContains(t, fmt.Sprint(seen[kept]), "claim")
	require.Empty(t, log.String(), "nothing is refused")

	// A wrong token is refused when it is used, not when it is registered.
	_, err = app.RegisterWebhook(t.Context(), web.URL+Path+"/wrong")
	require.NoError(t, err)
	_, err = app.Upload(t.Context(), "more.txt", "More.", false)
	require.NoError(t, err)
	require.Eventually(t, func() bool { return log.String() != "" }, patient, pause)
	require.Contains(t, log.String(), "without the right token")
	require.NotContains(t, log.String(), token)
}

// told groups what came by the file that it is about.
func (m *memory) told(t *testing.T) told {
	m.mu.Lock()
	defer m.mu.Unlock()
	seen := told{}
	for _, h := range m.hints {
		var e struct{ Subject *struct{ ID any } }
		require.NoError(t, json.Unmarshal(h.payload, &e))
		if e.Subject != nil {
			id := fmt.Sprint(e.Subject.ID)
			seen[id] = append(seen[id], h.event)
		}
	}
	for _, c := range m.orphans {
		requireReadable(t, c)
		seen[c.Subject] = append(seen[c.Subject], "claim: "+c.Reason)
	}
	return seen
}
