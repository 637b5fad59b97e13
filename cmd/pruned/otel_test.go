package main

import (
	"encoding/hex"
	"fmt"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/stretchr/testify/require"
	otlp "go.opentelemetry.io/proto/otlp/trace/v1"
	"google.golang.org/protobuf/proto"

	"pruned/repo/testenv"
)

// received are the spans that a collector received.
type received struct {
	spans map[string]*otlp.Span // by id
	text  string                // everything that came
}

func readReceived(t *testing.T, messages [][]byte) *received {
	t.Helper()
	r := &received{spans: map[string]*otlp.Span{}}
	for _, message := range messages {
		var data otlp.TracesData
		require.NoError(t, proto.Unmarshal(message, &data))
		r.text += string(message) + data.String()
		for _, resource := range data.GetResourceSpans() {
			for _, scope := range resource.GetScopeSpans() {
				for _, span := range scope.GetSpans() {
					r.spans[hex.EncodeToString(span.GetSpanId())] = span
				}
			}
		}
	}
	return r
}

// parent is the span above one.
func (r *received) parent(span *otlp.Span) *otlp.Span {
	return r.spans[hex.EncodeToString(span.GetParentSpanId())]
}

// find lists the spans of a name that have an attribute of this value.
func (r *received) find(name, key, value string) (found []*otlp.Span) {
	for _, span := range r.spans {
		for _, a := range span.GetAttributes() {
			if span.GetName() == name && a.GetKey() == key && a.GetValue().GetStringValue() == value {
				found = append(found, span)
			}
		}
	}
	return found
}

// An event is followed from the command that published it, through the steps of the
// transaction, to the end of its tombstone, all in one trace of a collector's; and no span
// tells a name, a row, an error's text or a setting.
func TestSpansFollowAnEvent(t *testing.T) {
	c := testenv.StartCollector(t)
	t.Setenv("OTEL_EXPORTER_OTLP_ENDPOINT", c.URL())
	t.Setenv("OTEL_EXPORTER_OTLP_HEADERS", "x-key=s3cret-key")
	t.Setenv("OTEL_RESOURCE_ATTRIBUTES", "team=storage")
	sites := make(chan *pageSite, 2)
	t.Run("publish and drain", func(t *testing.T) {
		onPageSites(t, 6, 3, func(t *testing.T, s *pageSite) {
			s.exec(t, fmt.Sprintf(s.refuse, s.orphans[2])) // raises "legal hold"
			s.exec(t, `UPDATE file SET filename = 'planted-name.pdf', path = '/uploads/planted-path.pdf', data = '{"content": "planted-text"}', meta = '{"name": "planted-meta"}'`)
			i := s.with("PRUNED_TRASH=0", "PRUNED_MAX_FRACTION=1")
			i.publish(t, s.orphans[0], s.used[0], s.orphans[2])
			status, _, _ := i.pruned(t, "", "run", "--drain")
			require.Zero(t, status)
			sites <- s
		})
	})
	r := readReceived(t, c.Stop(t))
	require.Len(t, sites, 2)
	for range 2 {
		s := <-sites
		r.follows(t, s.orphans[0], s.used[0])
		require.NotContains(t, r.text, s.env[0][len("DATABASE_URL="):])
	}
	require.Contains(t, r.text, "storage", "the library reads its own variables")
	for _, planted := range []string{"planted", "s3cret", "legal hold", adminToken, "published by hand"} {
		require.NotContains(t, r.text, planted)
	}
}

// follows checks the trace of what published events about a file that was deleted and one
// that was kept.
func (r *received) follows(t *testing.T, deleted, kept string) {
	t.Helper()
	ends := r.find("tombstone", "pruned.file", deleted)
	require.NotEmpty(t, ends)
	event := r.parent(ends[0])
	require.Equal(t, "event", event.GetName())
	require.Contains(t, r.find("event", "pruned.outcome", "deleted"), event)
	published := r.parent(event)
	require.Equal(t, "publish", published.GetName())
	require.Empty(t, published.GetParentSpanId())
	steps := map[string]bool{}
	for _, span := range r.spans {
		if above := r.parent(span); above != nil && above.GetName() == "transaction" && string(span.GetTraceId()) == string(published.GetTraceId()) {
			require.Equal(t, "event", r.parent(above).GetName())
			steps[span.GetName()] = true
		}
	}
	for _, step := range []string{"lock", "find", "delete", "record", "recheck", "commit"} {
		require.True(t, steps[step], "%s of %v", step, steps)
	}
	stayed := r.find("event", "pruned.file", kept)
	require.Len(t, stayed, 1)
	require.Equal(t, published, r.parent(stayed[0]))
}

// A receiver that refuses, or is away, keeps nothing from being done; that is said once,
// without what it answered. It is asked with the headers that the library's own variable has.
func TestSpansThatCannotBeSent(t *testing.T) {
	keys := make(chan string, 10)
	refusing := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		keys <- r.Header.Get("X-Key")
		http.Error(w, "planted answer", http.StatusForbidden)
	}))
	t.Cleanup(refusing.Close)
	t.Setenv("OTEL_EXPORTER_OTLP_ENDPOINT", refusing.URL)
	t.Setenv("OTEL_EXPORTER_OTLP_HEADERS", "x-key=s3cret-key")
	i, world := scratch(t)
	status, _, errs := i.pruned(t, world.Files[0].ID, "publish", "-v")
	require.Zero(t, status, errs)
	require.Contains(t, errs, "spans cannot be sent, and are dropped")
	require.NotContains(t, errs, "planted answer")
	require.Equal(t, "s3cret-key", <-keys)

	t.Setenv("OTEL_SDK_DISABLED", "true")
	status, _, errs = i.pruned(t, world.Files[0].ID, "publish", "-v")
	require.Zero(t, status, errs)
	require.NotContains(t, errs, "spans")
}
