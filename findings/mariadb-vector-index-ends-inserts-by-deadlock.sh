#!/usr/bin/env bash
# MariaDB 11.8.9 (Debian trixie), a table with a VECTOR INDEX as Open WebUI 0.12.4 makes it.
#
# An insert of one row locks several nodes of the index's graph, a delete of several rows
# one node after the other: side by side they end in a deadlock, and the victim is the one
# that changed less, the insert. Neither names a row of the other's. A delete of one row
# locks one node: it waits, and makes nobody fail. So does one under LOCK TABLES.
#
# Seen (the first number varies from run to run):
#   deletes of 200 rows: inserts ended by a deadlock: 3
#   deletes of 1 row: inserts ended by a deadlock: 0
#   deletes of 200 rows under LOCK TABLES: inserts ended by a deadlock: 0
#
# Whoever deletes beside an application that uploads deletes one by one, or locks the table
# for a moment.
set -euo pipefail
dir=$(mktemp -d)
cd "$dir"
trap '[ -f pid ] && kill "$(cat pid)" 2>/dev/null; sleep 2; rm -rf "$dir"' EXIT
site=$(. /etc/os-release && apt-get indextargets --format '$(SITE)' 'Created-By: Packages' "Release: $VERSION_CODENAME" 'Component: main' | head -n 1)
[ -n "$site" ] || { echo 'apt-get knows no packages: apt-get update'; exit 1; }
cat >trixie.sources <<SOURCES
Types: deb
URIs: $site
Suites: trixie
Components: main
Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg
SOURCES
mkdir -p lists/partial cache/archives/partial root data
touch status log
own=(-o Dir::State::lists="$dir/lists" -o Dir::Cache="$dir/cache" -o Dir::Etc::sourcelist="$dir/trixie.sources"
  -o Dir::Etc::sourceparts=- -o Dir::State::status="$dir/status" -o APT::Sandbox::User=root)
apt-get "${own[@]}" update >/dev/null
apt-get "${own[@]}" download mariadb-server-core libc6 libaio1t64 libcrypt1 libgcc-s1 libnuma1 libpcre2-8-0 libssl3t64 \
  libstdc++6 libsystemd0 liburing2 zlib1g libzstd1 libcap2 >/dev/null
for package in *.deb; do dpkg-deb -x "$package" root; done
python3 -m venv venv
venv/bin/pip install -q --disable-pip-version-check PyMySQL==1.1.2

lib=$(echo "$dir"/root/usr/lib/*-linux-gnu)
mkdir data/d
"$lib"/ld-linux-*.so.* --library-path "$lib" root/usr/sbin/mariadbd --no-defaults --user="$(id -un)" --datadir="$dir/data" \
  --lc-messages-dir="$dir/root/usr/share/mariadb" --plugin-dir="$dir" --skip-grant-tables --skip-networking \
  --socket="$dir/socket" --pid-file="$dir/pid" >log 2>&1 &
until grep -q 'ready for connections' log; do sleep 0.1; done

venv/bin/python - "$dir/socket" <<'PYTHON'
import random, sys, threading
import pymysql

def connect():
    return pymysql.connect(unix_socket=sys.argv[1], user="root", database="d", autocommit=True)

def vector():
    return "[%f,%f,%f]" % (random.random(), random.random(), random.random())

INSERT = "INSERT INTO document_chunk VALUES (%s, VEC_FromText(%s))"

def delete(c, ids):
    while True:
        try:
            return c.execute("DELETE FROM document_chunk WHERE id IN (%s)" % ",".join(["%s"] * len(ids)), ids)
        except pymysql.err.OperationalError as e:
            if e.args[0] != 1213:  # on a busy machine the delete is the one that ends, now and then
                raise

def beside(title, rows, lock=False):
    c = connect().cursor()
    c.execute("DROP TABLE IF EXISTS document_chunk")
    c.execute("CREATE TABLE document_chunk (id VARCHAR(254) CHARACTER SET ascii COLLATE ascii_bin PRIMARY KEY,"
              " embedding VECTOR(3) NOT NULL, VECTOR INDEX (embedding) M=8 DISTANCE=cosine)")
    c.executemany(INSERT, [("a%d" % n, vector()) for n in range(2000)])
    stop, ended = threading.Event(), []

    def write():
        w, n = connect().cursor(), 0
        while not stop.is_set():
            n += 1
            try:
                w.execute(INSERT, ("w%d" % n, vector()))
            except pymysql.err.OperationalError as e:
                ended.append(e.args[0])

    writer = threading.Thread(target=write)
    writer.start()
    try:
        for first in range(0, 2000, rows):
            ids = ["a%d" % n for n in range(first, first + rows)]
            if lock:
                c.execute("LOCK TABLES document_chunk WRITE")
            delete(c, ids)
            if lock:
                c.execute("UNLOCK TABLES")
    finally:
        stop.set()
        writer.join()
    print("deletes of %s: inserts ended by a deadlock: %d" % (title, ended.count(1213)))
    return ended.count(1213)

several = beside("200 rows", 200)
one = beside("1 row", 1)
locked = beside("200 rows under LOCK TABLES", 200, lock=True)
if several == 0 or one > 0 or locked > 0:
    sys.exit("that is not what was seen")
PYTHON
