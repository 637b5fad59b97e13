-- +goose Up
-- Folders of vectors whose collection was dropped: the folder's name stands for a file's id.
ALTER TABLE pruned.candidate
    DROP CONSTRAINT candidate_direction_check,
    ADD CONSTRAINT candidate_direction_check CHECK (direction IN ('row', 'vector', 'bytes', 'folder'));
