package main

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"github.com/rs/zerolog"
	"github.com/stretchr/testify/require"

	"pruned/consumer/embedded"
	"pruned/repo/testenv"
)

// client is a plain NATS client of an installation's embedded queue.
func (i *installation) client(t *testing.T, use func(*nats.Conn, jetstream.JetStream)) {
	t.Helper()
	nc, end, err := embedded.Connect(t.Context(), embedded.Options{Dir: filepath.Join(i.dir, "pruned"), Log: zerolog.Nop()})
	require.NoError(t, err)
	js, err := jetstream.New(nc)
	require.NoError(t, err)
	use(nc, js)
	require.NoError(t, end())
}

// letter is a dead letter as it is printed.
type letter struct {
	Name       string `json:"name"`
	Seq        uint64 `json:"seq"`
	FileID     string `json:"file_id"`
	Kind       string `json:"kind"`
	Error      string `json:"error"`
	SQLState   string `json:"sqlstate"`
	Deliveries int    `json:"deliveries"`
	At         string `json:"at"`
	Payload    string `json:"payload"`
}

// What is no event becomes a dead letter and stops nothing.
func TestMalformedMessagesStopNothing(t *testing.T) {
	t.Parallel()
	i := install(t, testenv.Vectors(small))
	file := testenv.NewFile(t, i.Pool)
	event := `{"specversion":"1.0","id":"%s","source":"test","type":"pruned.file.orphaned","subject":%s,"more":{"x":1},"data":%s}`
	malformed := []string{
		"", "null", "[]", `"` + file + `"`, file, "{", "\xff\xfe\x00", `{"subject":"` + file + `"}`,
		fmt.Sprintf(event, "a", `""`, "null"), fmt.Sprintf(event, "b", "7", "null"), fmt.Sprintf(event, "c", `"`+strings.Repeat("x", 2000)+`"`, "null"),
		strings.Replace(fmt.Sprintf(event, "d", `"`+file+`"`, "null"), "orphaned", "created", 1),
		strings.Replace(fmt.Sprintf(event, "e", `"`+file+`"`, "null"), "1.0", "0.3", 1),
		fmt.Sprintf(event, "f", `"`+file+`"`, `"`+strings.Repeat("x", 64<<10)+`"`),
	}
	i.publish(t) // makes the stream
	i.client(t, func(_ *nats.Conn, js jetstream.JetStream) {
		for _, payload := range append(malformed, fmt.Sprintf(event, "g", `"`+file+`"`, `[1]`)) {
			_, err := js.Publish(t.Context(), "pruned.orphan.plugin", []byte(payload))
			require.NoError(t, err)
		}
	})
	summary := i.drain(t)
	require.Equal(t, len(malformed), summary.Invalid)
	require.Equal(t, 1, summary.Deleted)
	require.Equal(t, len(malformed)+1, summary.Events)

	letters := ask[[]letter](t, i, "dead", "list")
	require.Len(t, letters, len(malformed))
	for n, l := range letters {
		require.Equal(t, "invalid", l.Kind)
		require.Positive(t, l.Deliveries)
		require.NotEmpty(t, l.Error)
		require.NotEmpty(t, l.At)
		shown := ask[letter](t, i, "dead", "show", fmt.Sprint(l.Seq))
		require.Equal(t, l.Error, shown.Error)
		if n != 6 { // is not UTF-8
			require.Equal(t, malformed[n], shown.Payload)
		}
	}
	status, _, errs := i.pruned(t, "", "dead", "redrive", fmt.Sprint(letters[0].Seq))
	require.Equal(t, exitFailed, status)
	require.Contains(t, errs, "was never an event")
	require.Equal(t, map[string]int{"purged": len(malformed)}, ask[map[string]int](t, i, "dead", "purge"))
	require.Empty(t, ask[[]letter](t, i, "dead", "list"))
	status, _, errs = i.pruned(t, "", "dead", "show", "1")
	require.Equal(t, exitFailed, status)
	require.Contains(t, errs, "no such dead letter")
}
