-- +goose Up
-- Under which span of OpenTelemetry it was written (traceparent); empty where nobody traced.
ALTER TABLE pruned_tombstone ADD COLUMN trace TEXT NOT NULL DEFAULT '';
