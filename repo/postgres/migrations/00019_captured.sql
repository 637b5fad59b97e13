-- +goose Up
-- Which rows of the application's tables were written, by triggers that
-- `pruned migrate --capture` makes: so that nobody has to read the tables for them.
CREATE TABLE pruned.captured (
    relid  oid NOT NULL,
    row_id text                                       -- its key; NULL: so many rows that the table has to be read
) WITH (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 5000, autovacuum_vacuum_insert_threshold = -1);
ALTER TABLE pruned.captured REPLICA IDENTITY FULL;    -- no publication keeps passes from deleting its rows
-- Grows, outside of every transaction, where a row was written and not captured.
CREATE SEQUENCE pruned.uncaptured OWNED BY pruned.captured.relid;
ALTER TABLE pruned.relation
    ADD captured      text,                           -- the triggers by which its rows are captured; NULL: none
    ADD captured_from xid8;                           -- rows that transactions from this one on wrote are
