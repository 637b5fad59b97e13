-- +goose Up
-- What people said: that something that was held may go, and that a file stays.
CREATE TABLE pruned.confirmation (
    id text        PRIMARY KEY,                                   -- of the sweep that was held
    at timestamptz NOT NULL DEFAULT clock_timestamp()
);
ALTER TABLE pruned.candidate ADD confirmed_by text NOT NULL DEFAULT '';  -- of the confirmation, where confirmed
ALTER TABLE pruned.hold ADD partly boolean NOT NULL DEFAULT false;       -- a part of it was confirmed

CREATE TABLE pruned.keep (
    file_id text        PRIMARY KEY,
    made_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    lasts   float8,                                               -- seconds; NULL: for ever
    note    text        NOT NULL
);
