-- +goose Up
-- A row may have a key of any length, and an index entry has 2,700 bytes at most: one
-- such row would stop every pass. What is longer is told apart by its digest. Ids
-- have 1,024 bytes at most (repo.LongestID).
DELETE FROM pruned.reference WHERE octet_length(file_id) > 1024;
DELETE FROM pruned.known_file WHERE octet_length(file_id) > 1024;
ALTER TABLE pruned.reference DROP CONSTRAINT reference_pkey;
DROP INDEX pruned.reference_row;
CREATE UNIQUE INDEX reference_once ON pruned.reference
    (file_id, source, left(row_id, 250), (CASE WHEN length(row_id) > 250 THEN md5(row_id) ELSE '' END));
CREATE INDEX reference_row ON pruned.reference (source, left(row_id, 250));

-- A publication of all tables refuses to change those that have no identity for
-- replicas, which is a primary key where there is one.
ALTER TABLE pruned.reference REPLICA IDENTITY FULL;
ALTER TABLE pruned.mentioned REPLICA IDENTITY FULL;

-- The text of a virtual column, or nothing where it cannot be computed: its expression
-- may raise for one row of many. It reads the row that the caller sees.
-- +goose StatementBegin
CREATE FUNCTION pruned.value(tbl regclass, place tid, col name) RETURNS text
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    value text;
BEGIN
    EXECUTE format('SELECT t.%I::text FROM ONLY %s t WHERE t.ctid = $1', col, tbl) INTO value USING place;
    RETURN value;
EXCEPTION WHEN data_exception OR program_limit_exceeded THEN
    RETURN NULL;
END $$;
-- +goose StatementEnd
