package main

import (
	"context"
	"errors"
	"net/url"
	"os"
	"sync/atomic"
	"time"

	"github.com/rs/zerolog"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracehttp"
	"go.opentelemetry.io/otel/sdk/resource"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"

	"pruned/consumer/tracing"
)

// flushTimeout bounds how long the end of a command waits for its last spans to be sent.
const flushTimeout = 5 * time.Second

// isTraced says whether spans are wanted. The library reads the environment of the process
// itself, so a file of settings cannot ask for them.
func isTraced() bool {
	for _, name := range []string{"OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT"} {
		if os.Getenv(name) != "" {
			return os.Getenv("OTEL_SDK_DISABLED") != "true" && os.Getenv("OTEL_TRACES_EXPORTER") != "none"
		}
	}
	return false
}

// startTracing sends spans where OpenTelemetry's variables say, until stop, which sends the
// last of them. What cannot be sent keeps nothing from being done.
func (c *command) startTracing(ctx context.Context) (stop func(), err error) {
	if !isTraced() {
		return func() {}, nil
	}
	exporter, err := otlptracehttp.New(ctx)
	if err != nil {
		return nil, errors.New("OTEL_EXPORTER_OTLP_ENDPOINT: spans cannot be sent by these settings, wanted an address such as http://localhost:4318")
	}
	about, err := resource.New(ctx, resource.WithTelemetrySDK(),
		resource.WithAttributes(attribute.String("service.name", "pruned"), attribute.String("service.version", version)), resource.WithFromEnv())
	if err != nil {
		return nil, errors.New("OTEL_RESOURCE_ATTRIBUTES: wanted names and values such as deployment.environment=prod,team=a")
	}
	provider := sdktrace.NewTracerProvider(sdktrace.WithResource(about), sdktrace.WithBatcher(&sender{SpanExporter: exporter, log: c.newLogger()}))
	c.tracer = provider.Tracer(tracing.Name)
	return func() {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), flushTimeout)
		defer cancel()
		_ = provider.Shutdown(ctx) // what could not be sent was told
	}, nil
}

// sender says once that spans cannot be sent, and once that they are again.
type sender struct {
	sdktrace.SpanExporter
	log    zerolog.Logger
	failed atomic.Bool
}

// ExportSpans sends spans, or drops them.
func (s *sender) ExportSpans(ctx context.Context, spans []sdktrace.ReadOnlySpan) error {
	err := s.SpanExporter.ExportSpans(ctx, spans)
	switch failed := s.failed.Swap(err != nil); {
	case err != nil && !failed:
		s.log.Warn().Err(whyNotSent(err)).Msg("spans cannot be sent, and are dropped")
	case err == nil && failed:
		s.log.Info().Msg("spans are sent again")
	}
	return nil
}

// whyNotSent leaves out the address, and what a receiver answered: either may hold a secret.
func whyNotSent(err error) error {
	var request *url.Error
	if errors.As(err, &request) {
		return request.Err
	}
	return errors.New("the receiver does not take them")
}
