-- +goose Up
-- Collections of vectors, and points in them: a collection's name, or that, a slash and a
-- point's id, stands for a file's id.
ALTER TABLE pruned.candidate
    DROP CONSTRAINT candidate_direction_check,
    ADD CONSTRAINT candidate_direction_check CHECK (direction IN ('row', 'vector', 'bytes', 'folder', 'collection', 'points'));
ALTER TABLE pruned.tombstone
    DROP CONSTRAINT tombstone_kind_check,
    ADD CONSTRAINT tombstone_kind_check CHECK (kind IN ('bytes', 'vectors', 'collection', 'points'));

-- The names that passes look for beside the ids of files. Those that a pass has met are in
-- pruned.known_file as well.
CREATE TABLE pruned.name (
    name text PRIMARY KEY
);
ALTER TABLE pruned.known_file ADD is_name boolean NOT NULL DEFAULT false;  -- no file
CREATE INDEX known_file_is_name ON pruned.known_file (file_id) WHERE is_name;
