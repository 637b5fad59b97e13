package prune

import (
	"context"
	"errors"
	"time"

	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/trace"

	"pruned/consumer/event"
	"pruned/consumer/fault"
	"pruned/consumer/tracing"
	"pruned/repo"
)

// Step is one of those that a transaction takes, in their order. It is the same word
// wherever their times are told.
type Step string

// The steps. Find is step 2 but for what it asks the stores, Record tombstones and ledger.
const (
	Lock    Step = "lock"
	Find    Step = "find"
	Vectors Step = "vectors"
	Delete  Step = "delete"
	Record  Step = "record"
	Recheck Step = "recheck"
	Commit  Step = "commit"
)

// AllSteps are all of them.
var AllSteps = []Step{Lock, Find, Vectors, Delete, Record, Recheck, Commit}

// Timing says how long the steps of one try took, of those that it came to.
type Timing map[Step]time.Duration

// begin starts a step, and returns what ends it.
func (t Timing) begin(ctx context.Context, step Step) (end func()) {
	fault.Point(string(step))
	_, span := tracing.Start(ctx, string(step))
	start := time.Now()
	return func() {
		t[step] += time.Since(start)
		span.End()
	}
}

// startSpan begins the span of a try, under that of its first event, which tells of those of
// the others.
func startSpan(ctx context.Context, events []event.Delivery) (context.Context, trace.Span) {
	provider := trace.SpanFromContext(ctx).TracerProvider()
	var links []trace.Link
	for i, e := range events {
		if i > 0 && e.Span.IsSampled() {
			links = append(links, trace.Link{SpanContext: e.Span})
		}
	}
	if len(events) > 0 && events[0].Span.IsValid() {
		ctx = trace.ContextWithSpanContext(ctx, events[0].Span)
	}
	return provider.Tracer(tracing.Name).Start(ctx, "transaction", trace.WithLinks(links...))
}

// endSpan ends it with how the try ended. An error's text may not leave the log.
func endSpan(span trace.Span, report Report, err error) {
	span.SetAttributes(tracing.Events.Int(len(report.Results)), tracing.Rows.Int64(report.Rows))
	if err != nil && !errors.Is(err, repo.ErrDryRun) && !isUnseen(err) {
		span.SetStatus(codes.Error, "")
	}
	span.End()
}
