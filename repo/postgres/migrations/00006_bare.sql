-- +goose Up
-- UUIDs without hyphens count now: without an identity the index is built anew, with
-- them.
UPDATE pruned.state SET identity = '';

-- +goose Down
SELECT 1;
