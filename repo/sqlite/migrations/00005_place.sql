-- +goose Up
-- Where this database ran, and which installation it was there: nothing in a copy
-- tells it from its original.
CREATE TABLE pruned_place (
    identity TEXT    NOT NULL,
    place    TEXT    NOT NULL,                -- JSON, see package witness
    seen_at  INTEGER NOT NULL,
    PRIMARY KEY (identity, place)
);
