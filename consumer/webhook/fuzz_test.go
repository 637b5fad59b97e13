package webhook

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/require"
)

// Whatever is posted, the handler answers 202 or 400, and 202 only to an event.
func FuzzBodies(f *testing.F) {
	for _, seed := range append(bodies(f), simple, deleted(f, "1", "f"), `{}`, `null`, `[]`, "\xff", `{"id":"1","event":"file.deleted","subject":{"id":["f"]}}`) {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, sent []byte) {
		q := &memory{}
		h, _ := newHandler(t, q)
		switch code := answer(h, post("/webhook/"+token, string(sent))).Code; code {
		case 202:
			require.Equal(t, 1, len(q.hints)+len(q.orphans))
			requireEvent(t, sent, q)
		case 400:
			require.Empty(t, q.hints)
			require.Empty(t, q.orphans)
		default:
			require.Equal(t, 413, code)
			require.Greater(t, len(sent), maxBody)
		}
	})
}

// requireEvent reads the body in another way than the handler did.
func requireEvent(t *testing.T, sent []byte, q *memory) {
	t.Helper()
	var members map[string]any
	require.NoError(t, json.Unmarshal(sent, &members))
	id, name := members["id"], members["event"]
	require.NotEmpty(t, id)
	require.NotEmpty(t, name)
	subject, _ := members["subject"].(map[string]any)
	if name != "file.deleted" || subject["id"] == nil {
		require.Equal(t, []any{id, name}, []any{q.hints[0].id, q.hints[0].event})
		require.True(t, json.Valid(q.hints[0].payload))
		return
	}
	require.Equal(t, []any{id, subject["id"]}, []any{q.orphans[0].ID, q.orphans[0].Subject})
	requireReadable(t, q.orphans[0])
}
