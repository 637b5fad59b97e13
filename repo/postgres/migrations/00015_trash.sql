-- +goose Up
-- Rows of table file that were deleted, for a while. JSON as text: an escaped NUL, which
-- any user can upload, is no jsonb.
CREATE TABLE pruned.trash (
    file_id    text PRIMARY KEY,
    identity   text        NOT NULL,                              -- of the database that it was deleted in
    path       text        NOT NULL,
    name       text        NOT NULL,                              -- base name of the path: that of the bytes
    filename   text        NOT NULL,
    owner      text        NOT NULL,
    size       bigint      NOT NULL,
    made_at    timestamptz NOT NULL DEFAULT clock_timestamp(),
    keep       float8      NOT NULL,                              -- seconds
    bytes_gone boolean     NOT NULL DEFAULT false,                -- claimed by whoever removes them
    content    json        NOT NULL                               -- the row
);
-- A name may be longer than an entry of another index.
CREATE INDEX trash_name ON pruned.trash USING hash (name);
