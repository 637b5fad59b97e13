-- +goose Up
-- Rows of table file that were deleted, for a while.
CREATE TABLE pruned_trash (
    file_id    TEXT    NOT NULL PRIMARY KEY,
    identity   TEXT    NOT NULL,                -- of the database that it was deleted in
    path       TEXT    NOT NULL,
    name       TEXT    NOT NULL,                -- base name of the path: that of the bytes
    filename   TEXT    NOT NULL,
    owner      TEXT    NOT NULL,
    size       INTEGER NOT NULL,
    made_at    INTEGER NOT NULL,
    keep       INTEGER NOT NULL,                -- microseconds
    bytes_gone INTEGER NOT NULL DEFAULT 0,      -- claimed by whoever removes them
    content    TEXT    NOT NULL                 -- the row: of each column its type and its value, as JSON
);
CREATE INDEX pruned_trash_name ON pruned_trash (name);
