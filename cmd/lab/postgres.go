package main

import (
	"cmp"
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"pruned/consumer/loop"
	"pruned/repo/testenv"
)

// world is an installation on PostgreSQL, with its vectors in the same database unless they
// have a server.
type world struct {
	*installation
	url, database string
	vectors       vectorServer // or nil
}

// The server is as an operator's: durable, with room for the data.
var settings = []string{"fsync=on", "full_page_writes=on", "shared_buffers=2GB", "max_wal_size=8GB", "maintenance_work_mem=256MB"}

// startPostgres starts the server, once.
func (l *lab) startPostgres(ctx context.Context) (err error) {
	if l.server == nil {
		l.server, err = testenv.StartServer(ctx, testenv.ServerOptions{OnDisk: true, Settings: slices.Concat(settings, l.further)})
	}
	return err
}

func (l *lab) newWorld(url string, seeded *testenv.Seeded) (*world, error) {
	config, err := pgx.ParseConfig(url)
	if err != nil {
		return nil, err
	}
	i, err := l.makeInstallation("DATABASE_URL="+url, "VECTOR_DB=pgvector")
	i.Seeded = seeded
	return &world{installation: i, url: url, database: config.Database}, err
}

// seedWorld makes a world. Its data folder is made, whether bytes are seeded or not.
func (l *lab) seedWorld(ctx context.Context, o testenv.SeedOptions, bytes bool) (*world, error) {
	if err := l.startPostgres(ctx); err != nil {
		return nil, err
	}
	url, err := l.createDatabase(ctx)
	if err != nil {
		return nil, err
	}
	w, err := l.newWorld(url, nil)
	if err != nil {
		return nil, err
	}
	if bytes {
		o.UploadDir = w.uploads()
	}
	return w, w.withConn(ctx, func(conn *pgx.Conn) (err error) {
		if w.Seeded, err = testenv.Seed(ctx, conn, o); err != nil {
			return err
		}
		// What autovacuum would have done to data that has lain for a month.
		_, err = conn.Exec(ctx, "VACUUM ANALYZE")
		return err
	})
}

// createDatabase makes a database as Open WebUI does.
func (l *lab) createDatabase(ctx context.Context) (url string, err error) {
	if l.release == "" {
		return l.server.CreateDatabase(ctx, testenv.Template(cmp.Or(l.schema, testenv.Head)))
	}
	if url, err = l.server.CreateDatabase(ctx, "template0"); err != nil {
		return "", err
	}
	return url, testenv.MigrateAs(ctx, l.release, url)
}

// copyWorld makes a world with the same data.
func (w *world) copyWorld(ctx context.Context) (*world, error) {
	url, err := w.server.CreateDatabase(ctx, w.database)
	if err != nil {
		return nil, err
	}
	return w.newWorld(url, w.Seeded)
}

// dropWorld makes room.
func (w *world) dropWorld(ctx context.Context) error {
	return errors.Join(os.RemoveAll(w.dir), w.adminWorld().withConn(ctx, func(conn *pgx.Conn) error {
		_, err := conn.Exec(ctx, "DROP DATABASE "+pgx.Identifier{w.database}.Sanitize()+" WITH (FORCE)")
		return err
	}))
}

// adminWorld is another database of the same server.
func (w *world) adminWorld() *world { return &world{url: w.server.URL("postgres")} }

func (w *world) withConn(ctx context.Context, fn func(*pgx.Conn) error) error {
	conn, err := pgx.Connect(ctx, w.url)
	if err != nil {
		return err
	}
	return errors.Join(fn(conn), conn.Close(ctx))
}

// clockTick is the unit of Linux's figures of a process.
const clockTick = 10 * time.Millisecond

// serverCPU is what the server's sessions have used so far that have ended: the same on a
// machine that is busy. It waits until those of this database have.
func (w *world) serverCPU(ctx context.Context) (used time.Duration, err error) {
	var dir string
	err = w.adminWorld().withConn(ctx, func(conn *pgx.Conn) error {
		for sessions := 1; sessions > 0; loop.Sleep(ctx, 2*clockTick) {
			if err := conn.QueryRow(ctx, "SELECT count(*) FROM pg_stat_activity WHERE datname = $1", w.database).Scan(&sessions); err != nil {
				return err
			}
		}
		return conn.QueryRow(ctx, "SHOW data_directory").Scan(&dir)
	})
	if err != nil {
		return 0, err
	}
	text, err := os.ReadFile(filepath.Join(dir, "postmaster.pid"))
	if err != nil {
		return 0, err
	}
	pid, _, _ := strings.Cut(string(text), "\n")
	for hasSessions(pid, w.database) {
		loop.Sleep(ctx, 2*clockTick)
	}
	return readEnded(pid)
}

// hasSessions tells whether a server has processes for a database, or any that it has not
// waited for yet: until then theirs are not counted. One that gives back its memory, of which
// the server's is two gigabytes, has no title any more.
func hasSessions(pid, database string) bool {
	stats, _ := filepath.Glob("/proc/[0-9]*/stat")
	return slices.ContainsFunc(stats, func(path string) bool {
		text, _ := os.ReadFile(path) // it may have ended
		_, rest, _ := strings.Cut(string(text), ") ")
		fields := strings.Fields(rest)
		if len(fields) < 2 || fields[1] != pid {
			return false
		}
		title, _ := os.ReadFile(filepath.Join(filepath.Dir(path), "cmdline"))
		return fields[0] == "Z" || len(title) == 0 || strings.Contains(string(title), " "+database+" ")
	})
}

// readEnded is what the children of a process have used that have ended.
func readEnded(pid string) (used time.Duration, err error) {
	text, err := os.ReadFile(filepath.Join("/proc", pid, "stat"))
	if err != nil {
		return 0, err
	}
	_, rest, _ := strings.Cut(string(text), ") ") // behind the program's name
	fields := strings.Fields(rest)
	for _, ticks := range fields[13:15] { // cutime, cstime: of children that were waited for
		n, err := strconv.ParseInt(ticks, 10, 64)
		if err != nil {
			return 0, err
		}
		used += time.Duration(n) * clockTick
	}
	return used, nil
}

const heldSQL = `
SELECT (SELECT count(*) FROM file WHERE id = ANY ($1)),
       count(*) FILTER (WHERE own), count(*) FILTER (WHERE NOT own),
       (SELECT count(*) FROM pruned.tombstone WHERE file_id = ANY ($1))
  FROM (SELECT collection_name = 'file-' || (vmetadata ->> 'file_id') FROM document_chunk
         WHERE vmetadata ->> 'file_id' = ANY ($1)) chunk (own)`

func (w *world) countHeld(ctx context.Context, ids []string) (h held, err error) {
	err = w.withConn(ctx, func(conn *pgx.Conn) error {
		return conn.QueryRow(ctx, heldSQL, ids).Scan(&h.rows, &h.chunks, &h.shared, &h.tombstones)
	})
	return h, errors.Join(err, w.countChunks(ctx, ids, &h))
}

// No vectors wait for anybody.
func (w *world) countWaiting(context.Context) (held, error) { return held{}, nil }
func (w *world) checkSound(context.Context) error           { return nil }
func (w *world) settleStore(context.Context) error          { return nil }
