CREATE TEMP TABLE pruned_state (
    one        INTEGER PRIMARY KEY CHECK (one = 1),
    mark       TEXT    NOT NULL,                -- tells this installation from others
    tombstones INTEGER NOT NULL DEFAULT 0,      -- the last number that was given to one
    sweep      INTEGER NOT NULL DEFAULT 0       -- the last sweep
, owner TEXT NOT NULL DEFAULT '');
INSERT INTO temp.pruned_state SELECT * FROM main.pruned_state;
CREATE TEMP TABLE pruned_candidate (
    file_id    TEXT    NOT NULL,
    direction  TEXT    NOT NULL CHECK (direction IN ('row', 'vector', 'bytes', 'folder', 'collection', 'points', 'dangling')),
    first_seen INTEGER NOT NULL,
    seen_at    INTEGER NOT NULL,                -- when a store last listed it
    sweep      INTEGER NOT NULL DEFAULT 0,      -- the last that did
    size       INTEGER NOT NULL DEFAULT 0,      -- of its objects, together
    chunks     INTEGER NOT NULL DEFAULT 0,      -- its vectors
    made_at    INTEGER,                         -- the youngest of its objects
    confirmed  INTEGER NOT NULL DEFAULT 0,      -- somebody let it go
    claimed_at INTEGER,                         -- when the queue stored a claim about it
    store      TEXT    NOT NULL DEFAULT '',     -- that listed it; empty: it is a row
    shown      INTEGER NOT NULL DEFAULT 0, confirmed_by TEXT NOT NULL DEFAULT '',      -- by a sweep that was held
    PRIMARY KEY (direction, file_id)
);
INSERT INTO temp.pruned_candidate SELECT * FROM main.pruned_candidate;
CREATE TEMP TABLE pruned_hold (
    direction TEXT    NOT NULL,
    store     TEXT    NOT NULL,
    id        TEXT    NOT NULL,                 -- of the sweep that was held first
    reason    TEXT    NOT NULL,
    found     INTEGER NOT NULL,
    there     INTEGER NOT NULL,
    at        INTEGER NOT NULL,
    shown_at  INTEGER NOT NULL, partly INTEGER NOT NULL DEFAULT 0,                 -- by the last sweep: what is let go
    PRIMARY KEY (direction, store)
);
INSERT INTO temp.pruned_hold SELECT * FROM main.pruned_hold;
CREATE TEMP TABLE pruned_binding (
    store    TEXT    NOT NULL,
    identity TEXT    NOT NULL,
    at       INTEGER NOT NULL, accepted TEXT NOT NULL DEFAULT '',
    PRIMARY KEY (store, identity)
);
INSERT INTO temp.pruned_binding SELECT * FROM main.pruned_binding;
CREATE TEMP TABLE pruned_confirmation (
    id TEXT    NOT NULL PRIMARY KEY,            -- of the sweep that was held
    at INTEGER NOT NULL
);
INSERT INTO temp.pruned_confirmation SELECT * FROM main.pruned_confirmation;
BEGIN IMMEDIATE;
DELETE FROM main.pruned_candidate;
INSERT INTO main.pruned_candidate SELECT * FROM temp.pruned_candidate;
DELETE FROM main.pruned_hold;
INSERT INTO main.pruned_hold SELECT * FROM temp.pruned_hold;
DELETE FROM main.pruned_binding;
INSERT INTO main.pruned_binding SELECT * FROM temp.pruned_binding;
DELETE FROM main.pruned_confirmation;
INSERT INTO main.pruned_confirmation SELECT * FROM temp.pruned_confirmation;
UPDATE main.pruned_state SET sweep = (SELECT sweep FROM temp.pruned_state);
COMMIT
