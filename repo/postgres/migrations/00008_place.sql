-- +goose Up
-- Where this database ran, and which installation it was there: nothing in a copy
-- tells it from its original.
CREATE TABLE pruned.place (
    identity text        NOT NULL,
    place    text        NOT NULL,            -- JSON, see package witness
    seen_at  timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (identity, place)
);
