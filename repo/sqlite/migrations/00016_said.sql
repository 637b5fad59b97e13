-- +goose Up
-- What people said: that something that was held may go, and that a file stays.
CREATE TABLE pruned_confirmation (
    id TEXT    NOT NULL PRIMARY KEY,            -- of the sweep that was held
    at INTEGER NOT NULL
);
ALTER TABLE pruned_candidate ADD COLUMN confirmed_by TEXT NOT NULL DEFAULT '';  -- of the confirmation, where confirmed
ALTER TABLE pruned_hold ADD COLUMN partly INTEGER NOT NULL DEFAULT 0;           -- a part of it was confirmed

CREATE TABLE pruned_keep (
    file_id TEXT    NOT NULL PRIMARY KEY,
    made_at INTEGER NOT NULL,
    lasts   INTEGER,                            -- microseconds; NULL: for ever
    note    TEXT    NOT NULL
);
