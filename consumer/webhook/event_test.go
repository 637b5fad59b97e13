package webhook

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"pruned/consumer/event"
)

// Of all that Open WebUI sends, one event is an event; the others are hints.
func TestEveryEventOfTheApplication(t *testing.T) {
	t.Parallel()
	q := &memory{}
	h, _ := newHandler(t, q)
	names := map[string]bool{}
	for _, sent := range bodies(t) {
		require.Equal(t, 202, answer(h, post("/webhook/"+token, sent)).Code, sent)
		var e struct{ Event string }
		require.NoError(t, json.Unmarshal([]byte(sent), &e))
		names[e.Event] = true
	}
	require.Equal(t, []event.Event{{
		ID: "0c6e5973-286b-4f29-8999-18a76ec15d38", Source: "openwebui", Type: event.FileOrphaned,
		Subject: "6ea9ab1b-aa0d-4b9e-7312-34e9875bedd5", Time: time.Unix(1795373741, 0).UTC(), Reason: "file.deleted",
	}}, q.orphans)
	require.Len(t, q.hints, len(bodies(t))-1)
	require.Len(t, names, 191)
	for i, sent := range bodies(t)[:10] {
		require.Equal(t, sent, string(q.hints[i].payload))
	}
	for _, h := range q.hints {
		require.NotEqual(t, fileDeleted, h.event)
	}
}

func TestBodies(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("x", maxText+1)
	for name, c := range map[string]struct {
		body string
		want string // "event ID", "hint", or what is wrong
	}{
		"seen":                   {`{"schema":"0.0.0","id":"cc2c","event":"knowledge.file.removed","resource":"knowledge.file","operation":"removed","created_at":1795373741,"instance_id":"2c0a","version":"0.0.0","source":"api","actor":{},"subject":{"type":"knowledge.file","id":"f"},"data":{"knowledge_id":"k","delete_file":false},"message":null}`, "hint"},
		"unknown event":          {`{"id":"1","event":"quantum.file.vanished","subject":{"id":"f"}}`, "hint"},
		"odd name":               {`{"id":"1","event":"a > * b..\n"}`, "hint"},
		"numbers as ids":         {`{"id":"1","event":"x.y","subject":{"type":"x","id":7}}`, "hint"},
		"no members but two":     {`{"id":"1","event":"x"}`, "hint"},
		"file deleted":           {`{"id":"1","event":"file.deleted","subject":{"id":"f"}}`, "claim f"},
		"odd file":               {`{"id":"1","event":"file.deleted","subject":{"id":"not a uuid/ü.pdf"}}`, "claim not a uuid/ü.pdf"},
		"odd time":               {`{"id":"1","event":"file.deleted","created_at":1e300,"subject":{"id":"f"}}`, "claim f"},
		"late time":              {`{"id":"1","event":"file.deleted","created_at":253402300800,"subject":{"id":"f"}}`, "claim f"},
		"negative time":          {`{"id":"1","event":"file.deleted","created_at":-1,"subject":{"id":"f"}}`, "claim f"},
		"text for a time":        {`{"id":"1","event":"file.deleted","created_at":"now","subject":{"id":"f"}}`, "claim f"},
		"all files deleted":      {`{"id":"1","event":"file.deleted_all","subject":{"type":"file","id":null}}`, "hint"},
		"file deleted, not told": {`{"id":"1","event":"file.deleted","subject":null}`, "hint"},
		"file deleted, null":     {`{"id":"1","event":"file.deleted","subject":{"id":null}}`, "hint"},
		"file deleted, none":     {`{"id":"1","event":"file.deleted","subject":{}}`, "hint"},
		"other letters":          {`{"id":"1","event":"File.Deleted","subject":{"id":"f"}}`, "hint"},
		"written twice":          {`{"id":"1","event":"x","event":"file.deleted","subject":{"id":"f"}}`, "claim f"},

		"no object":       {`[]`, "not a JSON object"},
		"null":            {`null`, "not a JSON object"},
		"a text":          {`"file.deleted"`, "not a JSON object"},
		"cut":             {`{"id":"1","event":"x"`, "not a JSON object"},
		"a mark in front": {"\ufeff" + `{"id":"1","event":"x"}`, "not a JSON object"},
		"Latin-1":         {"{\"id\":\"1\",\"event\":\"\xe9\"}", "not UTF-8"},
		"deep":            {`{"id":"1","event":"x","data":` + strings.Repeat("[", 1<<16) + strings.Repeat("]", 1<<16) + `}`, "not a JSON object"},
		"no id":           {`{"event":"x"}`, "id is missing"},
		"null id":         {`{"id":null,"event":"x"}`, "id is missing"},
		"empty id":        {`{"id":"","event":"x"}`, "id has 0 bytes"},
		"number id":       {`{"id":1,"event":"x"}`, "id is not a text"},
		"long id":         {`{"id":"` + long + `","event":"x"}`, "id has 257 bytes"},
		"NUL id":          {`{"id":"a\u0000","event":"x"}`, "id is not a text that can be stored"},
		"half a letter":   {`{"id":"\ud800","event":"x"}`, "id is not a text that can be stored"},
		"ID":              {`{"ID":"1","event":"x"}`, "id is missing"},
		"no event":        {`{"id":"1"}`, "event is missing"},
		"empty event":     {`{"id":"1","event":""}`, "event has 0 bytes"},
		"list of events":  {`{"id":"1","event":["x"]}`, "event is not a text"},
		"long event":      {`{"id":"1","event":"` + long + `"}`, "event has 257 bytes"},
		"text subject":    {`{"id":"1","event":"x","subject":"f"}`, "subject is not an object"},
		"empty file":      {`{"id":"1","event":"file.deleted","subject":{"id":""}}`, "subject: id has 0 bytes"},
		"number file":     {`{"id":"1","event":"file.deleted","subject":{"id":1}}`, "subject: id is not a text"},
		"list of files":   {`{"id":"1","event":"file.deleted","subject":{"id":["f"]}}`, "subject: id is not a text"},
		"NUL file":        {`{"id":"1","event":"file.deleted","subject":{"id":"\u0000"}}`, "subject: id is not a text that can be stored"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			e, err := parse([]byte(c.body))
			switch file, isClaim := strings.CutPrefix(c.want, "claim "); {
			case isClaim:
				require.NoError(t, err)
				require.Equal(t, file, e.file)
				requireReadable(t, e.orphanEvent())
			case c.want == "hint":
				require.NoError(t, err)
				require.Empty(t, e.file)
				require.Equal(t, c.body, string(e.hint()))
			default:
				require.ErrorContains(t, err, c.want)
			}
		})
	}
}

// requireReadable holds if the consumer will read the event as it was meant.
func requireReadable(t testing.TB, claim event.Event) {
	t.Helper()
	read, err := event.Parse(claim.Encode())
	require.NoError(t, err)
	require.Equal(t, claim, read)
}

// A hint must fit into a message of any queue, whatever the body brings along.
func TestLongHintsAreShortened(t *testing.T) {
	t.Parallel()
	e, err := parse([]byte(body(t, map[string]any{"id": "1", "event": "chat.imported", "data": strings.Repeat("x", maxHint)})))
	require.NoError(t, err)
	require.JSONEq(t, `{"id":"1","event":"chat.imported","shortened":true}`, string(e.hint()))
}
