-- +goose Up
-- All tables are LOGGED: an unlogged index would be empty after a crash, and an
-- empty index says that nothing is in use.

-- One row: what the index was built from, and how far it is.
CREATE TABLE pruned.state (
    one          boolean PRIMARY KEY DEFAULT true CHECK (one),
    identity     text        NOT NULL DEFAULT '',   -- system identifier/database oid/schema/oid of pruned.reference
    generation   integer     NOT NULL DEFAULT 1,    -- the full pass that relations must have finished
    passed_at    timestamptz                        -- start of the last pass
);
INSERT INTO pruned.state DEFAULT VALUES;

-- One row for each relation that may mention a file.
CREATE TABLE pruned.relation (
    id         integer PRIMARY KEY GENERATED ALWAYS AS IDENTITY,
    relid      oid     NOT NULL UNIQUE,
    name       text    NOT NULL,              -- schema.table, quoted
    signature  text    NOT NULL,              -- columns, types, missing values, access method
    w          xid8    NOT NULL,              -- row versions of older transactions have been read
    generation integer NOT NULL DEFAULT 0,    -- the last full pass that it finished; 0: never complete
    scanning   integer NOT NULL DEFAULT 0,    -- the full pass under way
    position   text,                          -- file/block that the pass under way has reached
    rows       bigint  NOT NULL DEFAULT 0     -- read by the pass under way
);

-- Which files a row mentions, as of the pass that read it.
CREATE TABLE pruned.reference (
    file_id text    NOT NULL,
    source  integer NOT NULL,                 -- pruned.relation.id
    row_id  text    NOT NULL,                 -- primary key; a text[] literal if it has several columns
    PRIMARY KEY (file_id, source, row_id)
);
CREATE INDEX reference_row ON pruned.reference (source, row_id);

-- Ids that passes look for.
CREATE TABLE pruned.known_file (
    file_id    text PRIMARY KEY,
    token      text    NOT NULL,              -- lower case
    literal    boolean NOT NULL,              -- no UUID, so searched literally
    generation integer NOT NULL               -- the full pass that has to be finished before it may go
);
CREATE INDEX known_file_token ON pruned.known_file (token);
CREATE INDEX known_file_literal ON pruned.known_file (file_id) WHERE literal;
