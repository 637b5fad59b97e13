package consumer

import (
	"context"

	"go.opentelemetry.io/otel/trace"
	"go.opentelemetry.io/otel/trace/noop"

	"pruned/consumer/event"
	"pruned/consumer/tracing"
)

// tracer makes the spans that begin at the queue.
func (q *Queue) tracer() trace.Tracer {
	if q.opts.Tracer == nil {
		return noop.Tracer{}
	}
	return q.opts.Tracer
}

// startSpans begins the span of each event, under that of its publisher, and returns a
// context under the first.
func (c *Consumer) startSpans(ctx context.Context, messages []*message) context.Context {
	if c.q.opts.Tracer == nil {
		return ctx
	}
	for _, m := range messages {
		published := tracing.Extract(ctx, m.msg.Headers())
		_, m.span = c.q.tracer().Start(published, "event", trace.WithSpanKind(trace.SpanKindConsumer))
		m.span.SetAttributes(tracing.Type.String(m.event.Type), tracing.Deliveries.Int64(int64(m.meta.NumDelivered)))
		if m.event.Type == event.FileOrphaned {
			m.span.SetAttributes(tracing.File.String(m.event.Subject))
		}
	}
	return trace.ContextWithSpan(ctx, messages[0].span)
}

// spanContext is that of the event's span, if it has one.
func (m *message) spanContext() trace.SpanContext {
	if m.span == nil {
		return trace.SpanContext{}
	}
	return m.span.SpanContext()
}

// endSpans ends the spans of events that were settled.
func endSpans(messages []*message) {
	for _, m := range messages {
		if m.span != nil {
			m.span.SetAttributes(tracing.Outcome.String(string(m.result.Outcome)))
			m.span.End()
		}
	}
}
