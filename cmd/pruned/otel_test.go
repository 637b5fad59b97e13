package main

import (
	"encoding/hex"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
	collector "go.opentelemetry.io/proto/otlp/collector/trace/v1"
	otlp "go.opentelemetry.io/proto/otlp/trace/v1"
	"google.golang.org/protobuf/proto"
)

// receiver takes spans as a collector's receiver of OTLP over HTTP does.
type receiver struct {
	*httptest.Server
	mu     sync.Mutex
	spans  map[string]*otlp.Span // by id
	text   string                // everything that came
	header http.Header           // of the last request
}

func startReceiver(t *testing.T) *receiver {
	t.Helper()
	r := &receiver{spans: map[string]*otlp.Span{}}
	r.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, request *http.Request) {
		body, err := io.ReadAll(request.Body)
		var export collector.ExportTraceServiceRequest
		if err != nil || request.URL.Path != "/v1/traces" || proto.Unmarshal(body, &export) != nil {
			http.Error(w, "no spans", http.StatusBadRequest)
			return
		}
		r.mu.Lock()
		defer r.mu.Unlock()
		r.header = request.Header
		r.text += string(body) + export.String()
		for _, resource := range export.GetResourceSpans() {
			for _, scope := range resource.GetScopeSpans() {
				for _, span := range scope.GetSpans() {
					r.spans[hex.EncodeToString(span.GetSpanId())] = span
				}
			}
		}
	}))
	t.Cleanup(r.Close)
	return r
}

// parent is the span above one.
func (r *receiver) parent(span *otlp.Span) *otlp.Span {
	return r.spans[hex.EncodeToString(span.GetParentSpanId())]
}

// find lists the spans of a name that have an attribute of this value.
func (r *receiver) find(name, key, value string) (found []*otlp.Span) {
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
// transaction, to the end of its tombstone, all in one trace; and no span tells a name, a
// row, an error's text or a setting.
func TestSpansFollowAnEvent(t *testing.T) {
	r := startReceiver(t)
	t.Setenv("OTEL_EXPORTER_OTLP_ENDPOINT", r.URL)
	t.Setenv("OTEL_EXPORTER_OTLP_HEADERS", "x-key=s3cret-key")
	t.Setenv("OTEL_RESOURCE_ATTRIBUTES", "team=storage")
	onPageSites(t, 6, 3, func(t *testing.T, s *pageSite) {
		s.exec(t, fmt.Sprintf(s.refuse, s.orphans[2])) // raises "legal hold"
		s.exec(t, `UPDATE file SET filename = 'planted-name.pdf', path = '/uploads/planted-path.pdf', data = '{"content": "planted-text"}', meta = '{"name": "planted-meta"}'`)
		i := s.with("PRUNED_TRASH=0", "PRUNED_MAX_FRACTION=1")
		i.publish(t, s.orphans[0], s.used[0], s.orphans[2])
		status, _, _ := i.pruned(t, "", "run", "--drain")
		require.Zero(t, status)

		r.mu.Lock()
		defer r.mu.Unlock()
		ends := r.find("tombstone", "pruned.file", s.orphans[0])
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
		kept := r.find("event", "pruned.file", s.used[0])
		require.Len(t, kept, 1)
		require.Equal(t, published, r.parent(kept[0]))

		require.Equal(t, "s3cret-key", r.header.Get("X-Key"), "the library reads its own variables")
		require.Contains(t, r.text, "storage")
		for _, planted := range []string{"planted", "s3cret", "legal hold", adminToken, i.env[0][len("DATABASE_URL="):], "published by hand"} {
			require.NotContains(t, r.text, planted)
		}
	})
}

// A receiver that refuses, or is away, keeps nothing from being done; that is said once,
// without what it answered.
func TestSpansThatCannotBeSent(t *testing.T) {
	refusing := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		http.Error(w, "planted answer", http.StatusForbidden)
	}))
	t.Cleanup(refusing.Close)
	t.Setenv("OTEL_EXPORTER_OTLP_ENDPOINT", refusing.URL)
	i, world := scratch(t)
	status, _, errs := i.pruned(t, world.Files[0].ID, "publish", "-v")
	require.Zero(t, status, errs)
	require.Contains(t, errs, "spans cannot be sent, and are dropped")
	require.NotContains(t, errs, "planted answer")

	t.Setenv("OTEL_SDK_DISABLED", "true")
	status, _, errs = i.pruned(t, world.Files[0].ID, "publish", "-v")
	require.Zero(t, status, errs)
	require.NotContains(t, errs, "spans")
}
