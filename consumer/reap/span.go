package reap

import (
	"context"
	"time"

	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/trace"

	"pruned/consumer/tracing"
	"pruned/repo"
)

// traceSet makes a span of each tombstone of a set, under that of the event which wrote it,
// however long ago. Their bytes are named after files, which no span tells.
func (x *Reaper) traceSet(set []repo.Tombstone, began time.Time, err error) {
	if x.Tracer == nil {
		return
	}
	for _, t := range set {
		if t.Trace == "" {
			continue
		}
		_, span := x.Tracer.Start(tracing.Parse(context.Background(), t.Trace), "tombstone", trace.WithTimestamp(began))
		span.SetAttributes(tracing.Kind.String(t.Kind), tracing.Attempts.Int(t.Attempts+1))
		if t.IsAboutFile() {
			span.SetAttributes(tracing.File.String(t.FileID))
		}
		if err != nil {
			span.SetStatus(codes.Error, "")
		}
		span.End()
	}
}
