package main

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/url"
	"os"
	"time"

	"github.com/jackc/pgx/v5"
	"golang.org/x/sync/errgroup"

	"pruned/repo/testenv"
)

// databaseFaults are those of PostgreSQL.
var databaseFaults = []fault{
	{name: "PostgreSQL stopped", provoke: endServer((*testenv.Server).Shutdown), unready: "connect", lift: undoAll, logged: "files can be deleted again"},
	{name: "PostgreSQL killed", provoke: endServer((*testenv.Server).Kill), unready: "connect", lift: undoAll},
	{name: "PostgreSQL restarted", provoke: func(ctx context.Context, r *ruin) error { return r.world.server.Restart(ctx) }},
	{name: "sessions terminated", provoke: terminateSessions},
	{name: "failover to a standby", prepare: addStandby, provoke: failOver},
	{name: "failover to a synchronous standby", prepare: addSynchronousStandby, provoke: failOver},
	{name: "synchronous standby away", prepare: addSynchronousStandby, provoke: killStandby, lasts: 20 * time.Second, lift: undoAll},
	{name: "way to a synchronous standby cut", prepare: addDistantStandby, provoke: breakWay((*link).cut), lasts: 20 * time.Second, lift: undoAll, logged: "commit: timeout"},
	{name: "way to a synchronous standby silent", prepare: addDistantStandby, provoke: breakWay((*link).swallow), lasts: 20 * time.Second, lift: undoAll, logged: "commit: timeout"},
	{name: "failover to a synchronous standby that was cut off", prepare: addDistantStandby, provoke: failOverCutOff},
	{name: "led to a standby that is none but reads", prepare: addStandby, provoke: leadToStandby, unready: "SQLSTATE", lift: undoAll},
	{name: "out of connections", server: []string{"max_connections=12"}, provoke: takeConnections, unready: "too many clients", lift: undoAll},
	{name: "read-only by default", provoke: alterDatabase("default_transaction_read_only = on"), lift: undoAll},
	{name: "out of space", prepare: moveToSmallDisk, provoke: fillDisk, unready: "SQLSTATE 53100", lift: undoAll},
	{name: "deadlocks", server: []string{"deadlock_timeout=50ms"}, provoke: provokeDeadlocks, lasts: 5 * time.Second, lift: undoAll},
	{name: "short timeouts", provoke: alterDatabase("statement_timeout = '5ms'", "lock_timeout = '1ms'", "transaction_timeout = '20ms'", "idle_in_transaction_session_timeout = '5ms'"), lift: undoAll},
	{name: "VACUUM FULL", provoke: runSQL("VACUUM FULL")},
	{name: "REINDEX", provoke: runSQL("REINDEX DATABASE")},
	{name: "columns added and dropped", provoke: runSQL("ALTER TABLE file ADD COLUMN lab text DEFAULT 'x'", "ALTER TABLE chat ADD COLUMN lab text DEFAULT 'x'", "ALTER TABLE file DROP COLUMN lab")},
	{name: "a table of references locked", provoke: lockChats, lasts: 10 * time.Second, lift: undoAll},
	{name: "Open WebUI migrates its database", schema: testenv.Revisions[2], provoke: migrate},
	{name: "Open WebUI 0.12.3 becomes 0.12.4", release: "0.12.3", provoke: upgradeTo("0.12.4")},
	{name: "the database's clock jumps ahead", clock: true, with: noMinAge, provoke: moveClock("+2d"), lasts: 10 * time.Second, lift: undoAll},
	{name: "the database's clock jumps back", clock: true, with: noMinAge, provoke: moveClock("-2d"), lasts: 10 * time.Second, lift: undoAll},
	{name: "pooler killed and started again", prepare: addPooler, provoke: killPooler, unready: "connect", lift: undoAll},
}

func endServer(end func(*testenv.Server) error) func(context.Context, *ruin) error {
	return func(_ context.Context, r *ruin) error {
		r.later(r.world.server.Restart)
		return end(r.world.server)
	}
}

// terminateSessions ends every session of the database, from another one.
func terminateSessions(ctx context.Context, r *ruin) error {
	return r.world.adminWorld().withConn(ctx, func(conn *pgx.Conn) error {
		_, err := conn.Exec(ctx, `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = $1`, r.world.database)
		return err
	})
}

// takeConnections leaves no connection to the daemon.
func takeConnections(ctx context.Context, r *ruin) error {
	admin := r.world.server.URL("postgres")
	first, err := pgx.Connect(ctx, admin)
	if err != nil {
		return err
	}
	taken := []*pgx.Conn{first}
	r.later(func(ctx context.Context) (err error) {
		for _, conn := range taken {
			err = errors.Join(err, conn.Close(ctx))
		}
		return err
	})
	_, err = first.Exec(ctx, `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = $1`, r.world.database)
	for refused := 0; err == nil && refused < 20; {
		if conn, failed := pgx.Connect(ctx, admin); failed == nil {
			taken = append(taken, conn)
		} else {
			refused++
		}
	}
	return err
}

// alterDatabase sets what new sessions begin with, and ends the old ones.
func alterDatabase(settings ...string) func(context.Context, *ruin) error {
	return func(ctx context.Context, r *ruin) error {
		alter := func(ctx context.Context, what string) error {
			return r.world.adminWorld().withConn(ctx, func(conn *pgx.Conn) error {
				_, err := conn.Exec(ctx, fmt.Sprintf("ALTER DATABASE %s %s", r.world.database, what))
				return err
			})
		}
		r.later(func(ctx context.Context) error {
			return errors.Join(alter(ctx, "RESET ALL"), terminateSessions(ctx, r))
		})
		for _, setting := range settings {
			if err := alter(ctx, "SET "+setting); err != nil {
				return err
			}
		}
		return terminateSessions(ctx, r)
	}
}

func runSQL(statements ...string) func(context.Context, *ruin) error {
	return func(ctx context.Context, r *ruin) error {
		return r.world.withConn(ctx, func(conn *pgx.Conn) error {
			for _, sql := range statements {
				if _, err := conn.Exec(ctx, sql); err != nil {
					return fmt.Errorf("%s: %w", sql, err)
				}
			}
			return nil
		})
	}
}

// lockChats keeps everybody from reading chats.
func lockChats(ctx context.Context, r *ruin) error {
	conn, err := pgx.Connect(ctx, r.world.url)
	if err != nil {
		return err
	}
	r.later(conn.Close)
	_, err = conn.Exec(ctx, `BEGIN; LOCK TABLE chat IN ACCESS EXCLUSIVE MODE`)
	return err
}

// moveToSmallDisk moves tables of ours to a disk of a few megabytes.
func moveToSmallDisk(ctx context.Context, r *ruin) error {
	dir, err := os.MkdirTemp("", "pruned-lab-disk-")
	if err != nil {
		return err
	}
	r.disks = append(r.disks, dir)
	if err := mount(ctx, "-t", "tmpfs", "-o", "size=8m", "none", dir); err != nil {
		return err
	}
	if err := r.world.server.Own(dir); err != nil {
		return err
	}
	return runSQL(fmt.Sprintf("CREATE TABLESPACE small LOCATION '%s'", dir),
		"ALTER TABLE pruned.ledger SET TABLESPACE small", "ALTER TABLE pruned.tombstone SET TABLESPACE small",
		"CREATE TABLE lab_filler (what text) TABLESPACE small")(ctx, r)
}

func fillDisk(ctx context.Context, r *ruin) error {
	r.later(runLater(r, "DROP TABLE lab_filler"))
	fill := runSQL("INSERT INTO lab_filler SELECT repeat(md5(i::text), 30) FROM generate_series(1, 50) i")
	for {
		if err := fill(ctx, r); err != nil {
			return nil //nolint:nilerr // it is full
		}
	}
}

func runLater(r *ruin, sql string) func(context.Context) error {
	return func(ctx context.Context) error { return runSQL(sql)(ctx, r) }
}

// provokeDeadlocks has three sessions write rows of files and of their chunks in any order,
// as long as it lasts.
func provokeDeadlocks(ctx context.Context, r *ruin) error {
	ids := r.shuffledIDs()
	locking, stop := context.WithCancel(ctx)
	var sessions errgroup.Group
	for range 3 {
		sessions.Go(func() error {
			return r.world.withConn(ctx, func(conn *pgx.Conn) error {
				for locking.Err() == nil {
					_ = writeInAnyOrder(locking, conn, ids) // one of those that deadlock
				}
				return nil
			})
		})
	}
	r.later(func(context.Context) error { stop(); return sessions.Wait() })
	return nil
}

func writeInAnyOrder(ctx context.Context, conn *pgx.Conn, ids []string) error {
	return pgx.BeginFunc(context.WithoutCancel(ctx), conn, func(tx pgx.Tx) error {
		for range 5 {
			id := ids[rand.IntN(len(ids))]
			for _, sql := range []string{`UPDATE file SET updated_at = updated_at WHERE id = $1`, `UPDATE document_chunk SET text = text WHERE vmetadata ->> 'file_id' = $1`} {
				if _, err := tx.Exec(context.WithoutCancel(ctx), sql, id); err != nil {
					return err
				}
			}
		}
		return nil
	})
}

// migrate has Open WebUI's own migrations bring the database to the newest release's.
func migrate(ctx context.Context, r *ruin) error {
	return testenv.Migrate(ctx, r.world.url, testenv.Head)
}

// upgradeTo has another release do to the database what it does at its start.
func upgradeTo(release string) func(context.Context, *ruin) error {
	return func(ctx context.Context, r *ruin) error {
		return testenv.MigrateAs(ctx, release, r.world.url)
	}
}

// noMinAge spares the day for which bytes that are younger than their tombstones are left
// alone: which of two clocks is wrong nobody can tell.
var noMinAge = []string{"PRUNED_MIN_AGE=0"}

// moveClock has the database's clock differ for a while. What was written in that time has
// its times from then.
func moveClock(offset string) func(context.Context, *ruin) error {
	return func(_ context.Context, r *ruin) error {
		r.later(func(context.Context) error { return r.world.server.SetClock("+0s") })
		return r.world.server.SetClock(offset)
	}
}

// addPooler puts a pooler between the daemon and the server.
func addPooler(ctx context.Context, r *ruin) (err error) {
	if r.pooler, err = r.world.server.StartPooler(ctx, r.world.database); err != nil {
		return err
	}
	at, err := url.Parse(r.pooler.URL)
	if err == nil {
		err = r.network.database.lead(at.Host)
	}
	return err
}

func killPooler(_ context.Context, r *ruin) error {
	r.later(r.pooler.Start)
	return r.pooler.Kill()
}
