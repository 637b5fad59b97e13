-- +goose Up
-- Rows of the application's that nothing in it can reach: a table's name, a slash and a
-- row's id stand for a file's id.
ALTER TABLE pruned.candidate
    DROP CONSTRAINT candidate_direction_check,
    ADD CONSTRAINT candidate_direction_check CHECK (direction IN ('row', 'vector', 'bytes', 'folder', 'collection', 'points', 'dangling'));
