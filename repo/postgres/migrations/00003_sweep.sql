-- +goose Up
-- What a sweep found, and what became of it.
ALTER TABLE pruned.candidate
    ADD sweep      bigint      NOT NULL DEFAULT 0,                   -- the last that a store listed it in; 0: none, it is a row
    ADD seen_at    timestamptz NOT NULL DEFAULT clock_timestamp(),   -- when that was
    ADD size       bigint      NOT NULL DEFAULT 0,                   -- of its objects, together
    ADD chunks     bigint      NOT NULL DEFAULT 0,                   -- its vectors
    ADD made_at    timestamptz,                                      -- the youngest of its objects
    ADD settled    bigint,                                           -- touched when its row was last found not to be in flight
    ADD confirmed  boolean     NOT NULL DEFAULT false,               -- somebody let it go
    ADD claimed_at timestamptz,                                      -- when the queue stored a claim about it
    DROP CONSTRAINT candidate_pkey,
    ADD PRIMARY KEY (direction, file_id);                            -- the order of pages

CREATE SEQUENCE pruned.sweep;

-- At most one row: who sweeps.
CREATE TABLE pruned.lease (
    one    boolean PRIMARY KEY DEFAULT true CHECK (one),
    holder text        NOT NULL,
    until  timestamptz NOT NULL
);

-- What the breaker held back.
CREATE TABLE pruned.hold (
    direction text        NOT NULL,
    store     text        NOT NULL,
    id        text        NOT NULL,                                  -- of the sweep that was held first
    reason    text        NOT NULL,
    found     bigint      NOT NULL,
    there     bigint      NOT NULL,
    at        timestamptz NOT NULL DEFAULT clock_timestamp(),
    shown_at  timestamptz NOT NULL DEFAULT clock_timestamp(),        -- by the last sweep: what is let go
    PRIMARY KEY (direction, store)
);

-- The stores that somebody said are this installation's.
CREATE TABLE pruned.binding (
    store    text NOT NULL,
    identity text NOT NULL,
    at       timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (store, identity)
);

-- The base name of a file's path where that is not named after its own id: plugins
-- share paths, and bytes that a row names are not without one.
ALTER TABLE pruned.known_file ADD name text NOT NULL DEFAULT '';
CREATE INDEX known_file_name ON pruned.known_file (name) WHERE name <> '';

-- When the index was last rid of rows that vanished. Without an identity it is
-- built anew, with the names.
ALTER TABLE pruned.state ADD tidied_at timestamptz NOT NULL DEFAULT clock_timestamp();
UPDATE pruned.state SET identity = '';
