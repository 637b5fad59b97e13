-- +goose Up
-- Since when something is known to be an orphan.
CREATE TABLE pruned.candidate (
    file_id    text        NOT NULL,
    direction  text        NOT NULL CHECK (direction IN ('row', 'vector', 'bytes')),
    first_seen timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (file_id, direction)
);

-- What is still to be removed outside the database.
CREATE TABLE pruned.tombstone (
    seq       bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY,
    identity  text        NOT NULL,           -- of the database that wrote it; another's is never carried out
    kind      text        NOT NULL CHECK (kind IN ('bytes', 'vectors')),
    file_id   text        NOT NULL,
    name      text        NOT NULL DEFAULT '',
    due_at    timestamptz NOT NULL,
    attempts  integer     NOT NULL DEFAULT 0,
    error     text        NOT NULL DEFAULT ''
);
CREATE INDEX tombstone_due ON pruned.tombstone (due_at);
CREATE INDEX tombstone_file ON pruned.tombstone (file_id);

-- What was deleted, when, why, by which event.
CREATE TABLE pruned.ledger (
    seq      bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY,
    file_id  text        NOT NULL,
    path     text        NOT NULL DEFAULT '',
    outcome  text        NOT NULL,
    event_id text        NOT NULL DEFAULT '',
    source   text        NOT NULL DEFAULT '',
    reason   text        NOT NULL DEFAULT '',
    note     text        NOT NULL DEFAULT '',
    at       timestamptz NOT NULL DEFAULT clock_timestamp()
);
CREATE INDEX ledger_file ON pruned.ledger (file_id);
CREATE INDEX ledger_at ON pruned.ledger (at);
