// Package tracing follows an event from whoever published it to the end of what it was
// about, in spans of OpenTelemetry.
//
// Its central idea is that a span's context travels with what is worked on: in a header of
// the message, with the event through the transaction, and with each tombstone. Who takes
// part asks the span that it works under for the next one, so that nothing is made where
// nobody traces. A span holds ids of files, words of this program and numbers: never a name,
// a row, an error's text, or a setting. It must not know where spans are sent.
package tracing

import (
	"context"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/trace"
)

// Name is that of the tracer.
const Name = "pruned"

// Attributes of spans.
const (
	File       = attribute.Key("pruned.file")
	Type       = attribute.Key("pruned.event.type")
	Outcome    = attribute.Key("pruned.outcome")
	Deliveries = attribute.Key("pruned.deliveries")
	Stored     = attribute.Key("pruned.stored")
	Events     = attribute.Key("pruned.events")
	Rows       = attribute.Key("pruned.rows")
	Kind       = attribute.Key("pruned.kind")
	Attempts   = attribute.Key("pruned.attempts")
)

// Start begins a span under that of ctx, with whatever made that one.
func Start(ctx context.Context, name string, opts ...trace.SpanStartOption) (context.Context, trace.Span) {
	return trace.SpanFromContext(ctx).TracerProvider().Tracer(Name).Start(ctx, name, opts...)
}

// headers carry a context in a message. Unlike those of HTTP their names have a case.
type headers map[string][]string

// Get returns the first value of a header.
func (h headers) Get(key string) string {
	if values := h[key]; len(values) > 0 {
		return values[0]
	}
	return ""
}

// Set sets a header.
func (h headers) Set(key, value string) { h[key] = []string{value} }

// Keys lists the headers.
func (h headers) Keys() (keys []string) {
	for key := range h {
		keys = append(keys, key)
	}
	return keys
}

var propagator propagation.TraceContext

// Inject writes the context of a span into the headers of a message (traceparent).
func Inject(span trace.SpanContext, header map[string][]string) {
	if span.IsSampled() {
		propagator.Inject(trace.ContextWithSpanContext(context.Background(), span), headers(header))
	}
}

// Extract returns a context under the span that headers tell of, if they do.
func Extract(ctx context.Context, header map[string][]string) context.Context {
	return propagator.Extract(ctx, headers(header))
}

// parentHeader is the one that says all but what vendors add.
const parentHeader = "traceparent"

// Format writes the context of a span as text; that of one that nobody keeps is empty.
func Format(span trace.SpanContext) string {
	header := headers{}
	Inject(span, header)
	return header.Get(parentHeader)
}

// Parse returns a context under the span that Format wrote.
func Parse(ctx context.Context, text string) context.Context {
	return Extract(ctx, headers{parentHeader: {text}})
}
