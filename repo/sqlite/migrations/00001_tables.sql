-- +goose Up
-- Plain tables and indexes, whose names begin with pruned_, beside the
-- application's: a view or a trigger would break its migrations. Times are
-- microseconds since 1970.

-- One row.
CREATE TABLE pruned_state (
    one        INTEGER PRIMARY KEY CHECK (one = 1),
    mark       TEXT    NOT NULL,                -- tells this installation from others
    tombstones INTEGER NOT NULL DEFAULT 0,      -- the last number that was given to one
    sweep      INTEGER NOT NULL DEFAULT 0       -- the last sweep
);
INSERT INTO pruned_state (one, mark) VALUES (1, lower(hex(randomblob(8))));

-- What may be an orphan, since when, and what became of it.
CREATE TABLE pruned_candidate (
    file_id    TEXT    NOT NULL,
    direction  TEXT    NOT NULL CHECK (direction IN ('row', 'vector', 'bytes')),
    first_seen INTEGER NOT NULL,
    seen_at    INTEGER NOT NULL,                -- when a store last listed it
    sweep      INTEGER NOT NULL DEFAULT 0,      -- the last that did
    size       INTEGER NOT NULL DEFAULT 0,      -- of its objects, together
    chunks     INTEGER NOT NULL DEFAULT 0,      -- its vectors
    made_at    INTEGER,                         -- the youngest of its objects
    confirmed  INTEGER NOT NULL DEFAULT 0,      -- somebody let it go
    claimed_at INTEGER,                         -- when the queue stored a claim about it
    PRIMARY KEY (direction, file_id)
);

-- What is still to be removed outside the database.
CREATE TABLE pruned_tombstone (
    seq      INTEGER PRIMARY KEY,               -- never given twice
    identity TEXT    NOT NULL,                  -- of the database that wrote it; another's is never carried out
    kind     TEXT    NOT NULL CHECK (kind IN ('bytes', 'vectors')),
    file_id  TEXT    NOT NULL,
    name     TEXT    NOT NULL DEFAULT '',
    due_at   INTEGER NOT NULL,
    attempts INTEGER NOT NULL DEFAULT 0,
    error    TEXT    NOT NULL DEFAULT ''
);
CREATE INDEX pruned_tombstone_due ON pruned_tombstone (due_at);
CREATE INDEX pruned_tombstone_file ON pruned_tombstone (file_id);

-- What was deleted, when, why, by which event.
CREATE TABLE pruned_ledger (
    seq      INTEGER PRIMARY KEY,
    file_id  TEXT    NOT NULL,
    path     TEXT    NOT NULL DEFAULT '',
    outcome  TEXT    NOT NULL,
    event_id TEXT    NOT NULL DEFAULT '',
    source   TEXT    NOT NULL DEFAULT '',
    reason   TEXT    NOT NULL DEFAULT '',
    note     TEXT    NOT NULL DEFAULT '',
    at       INTEGER NOT NULL
);
CREATE INDEX pruned_ledger_file ON pruned_ledger (file_id);
CREATE INDEX pruned_ledger_at ON pruned_ledger (at);

-- At most one row: who sweeps.
CREATE TABLE pruned_lease (
    one    INTEGER PRIMARY KEY CHECK (one = 1),
    holder TEXT    NOT NULL,
    until  INTEGER NOT NULL
);

-- What the breaker held back.
CREATE TABLE pruned_hold (
    direction TEXT    NOT NULL,
    store     TEXT    NOT NULL,
    id        TEXT    NOT NULL,                 -- of the sweep that was held first
    reason    TEXT    NOT NULL,
    found     INTEGER NOT NULL,
    there     INTEGER NOT NULL,
    at        INTEGER NOT NULL,
    shown_at  INTEGER NOT NULL,                 -- by the last sweep: what is let go
    PRIMARY KEY (direction, store)
);

-- The stores that somebody said are this installation's.
CREATE TABLE pruned_binding (
    store    TEXT    NOT NULL,
    identity TEXT    NOT NULL,
    at       INTEGER NOT NULL,
    PRIMARY KEY (store, identity)
);
