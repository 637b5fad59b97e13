-- +goose Up
-- Under which span of OpenTelemetry it was written (traceparent); empty where nobody traced.
ALTER TABLE pruned.tombstone ADD trace text NOT NULL DEFAULT '';
