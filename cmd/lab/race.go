package main

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os/exec"
	"syscall"
	"time"

	"github.com/jackc/pgx/v5"
	"golang.org/x/sync/errgroup"

	"pruned/repo/testenv"
)

type raceCmd struct {
	Attaches int `default:"100000" help:"How many, in each of the ways to run."`
}

// Run attaches files by JSON alone while sweeps and deletions run at full speed,
// and counts the attaches that were committed before their file was deleted: those
// that were lost.
func (c *raceCmd) Run(ctx context.Context, l *lab) error {
	l.further = []string{"track_commit_timestamp=on"}
	var rows [][]string
	for _, way := range []struct {
		name     string
		settings []string
	}{
		{"PRUNED_ORPHAN_AGE=0", []string{"PRUNED_ORPHAN_AGE=0"}},
		{"PRUNED_ORPHAN_AGE=0 PRUNED_STRICT=true", []string{"PRUNED_ORPHAN_AGE=0", "PRUNED_STRICT=true"}},
		{"the default, PRUNED_ORPHAN_AGE=1h", []string{"PRUNED_ORPHAN_AGE=1h"}},
	} {
		r, err := l.runRace(ctx, c.Attaches, way.settings)
		if err != nil {
			return fmt.Errorf("%s: %w", way.name, err)
		}
		rows = append(rows, []string{way.name, fmt.Sprint(r.attached), fmt.Sprint(r.late), fmt.Sprint(r.deleted), fmt.Sprint(r.lost)})
	}
	return printTable(fmt.Sprintf("%d attaches of fresh files by the JSON of a chat, %d at once, while sweeps and deletions run", c.Attaches, attackers),
		[]string{"", "attached", "too late", "deleted", "lost"}, rows)
}

const (
	attackers = 4
	handful   = 400 // files that one of them uploads at once, and attaches every other of
)

// raced counts attaches: those whose file was still there, those that came too
// late, and of the former those whose file was deleted after they had committed.
type raced struct{ attached, late, deleted, lost int64 }

func (l *lab) runRace(ctx context.Context, attaches int, settings []string) (r raced, err error) {
	w, err := l.seedWorld(ctx, testenv.SeedOptions{Files: 100, Orphans: 0, ChunksPerFile: 1, Vectors: testenv.VectorOptions{Dim: 3}}, false)
	if err != nil {
		return r, err
	}
	err = w.withConn(ctx, func(conn *pgx.Conn) error {
		_, err := conn.Exec(ctx, `CREATE SCHEMA lab; CREATE TABLE lab.attach (file_id text)`)
		return err
	})
	if err != nil {
		return r, err
	}
	stop, _, err := w.startDaemon(ctx, append(settings, "PRUNED_MIN_AGE=0", "PRUNED_SWEEP_EVERY=1s", "PRUNED_MAX_FRACTION=1", "PRUNED_BATCH=100"))
	if err != nil {
		return r, err
	}
	group, attacking := errgroup.WithContext(ctx)
	for range attackers {
		group.Go(func() error { return w.attachFiles(attacking, attaches/attackers) })
	}
	if err := errors.Join(group.Wait(), stop()); err != nil {
		return r, err
	}
	err = w.withConn(ctx, func(conn *pgx.Conn) error {
		return conn.QueryRow(ctx, racedSQL).Scan(&r.attached, &r.deleted, &r.lost)
	})
	r.late = int64(attaches/attackers*attackers) - r.attached
	return r, errors.Join(err, w.dropWorld(ctx))
}

const racedSQL = `
SELECT (SELECT count(*) FROM lab.attach),
       (SELECT count(*) FROM pruned.ledger WHERE outcome = 'deleted'),
       (SELECT count(*) FROM lab.attach a JOIN pruned.ledger l USING (file_id)
         WHERE l.outcome = 'deleted' AND pg_xact_commit_timestamp(l.xmin) > pg_xact_commit_timestamp(a.xmin))`

// attachSQL is a chat that is written if its file is there, as the application
// checks it. What it notes is in another schema, and no mention.
const attachSQL = `
WITH attached AS (
    INSERT INTO chat (id, user_id, title, chat, created_at, updated_at, archived)
    SELECT gen_random_uuid()::text, $2, 'race', json_build_object('files', json_build_array(json_build_object('type', 'file', 'id', $1::text))), 0, 0, false
     WHERE EXISTS (SELECT FROM file WHERE id = $1::text)
    RETURNING id)
INSERT INTO lab.attach SELECT $1::text FROM attached`

// attachFiles uploads a few files at a time and attaches half of them, so that there is
// always something to delete, in any order, so that a deletion may come before,
// after, or at the same moment.
func (w *world) attachFiles(ctx context.Context, attaches int) error {
	return w.withConn(ctx, func(conn *pgx.Conn) error {
		var batches [][]string
		for done := 0; done < attaches; {
			rows, _ := conn.Query(ctx, `INSERT INTO file (id, user_id, filename, data, created_at, updated_at)
				SELECT gen_random_uuid()::text, $2, 'race', '{}', extract(epoch FROM now()), extract(epoch FROM now())
				  FROM generate_series(1, $1) RETURNING id`, min(handful, 2*(attaches-done)), testenv.UserID)
			ids, err := pgx.CollectRows(rows, pgx.RowTo[string])
			if err != nil {
				return err
			}
			ids = ids[:len(ids)/2]
			done += len(ids)
			if batches = append(batches, ids); len(batches) < 4 && done < attaches {
				continue // they age a little
			}
			for ; len(batches) > 3 || len(batches) > 0 && done >= attaches; batches = batches[1:] {
				rand.Shuffle(len(batches[0]), func(i, j int) { batches[0][i], batches[0][j] = batches[0][j], batches[0][i] })
				for _, id := range batches[0] {
					if _, err := conn.Exec(ctx, attachSQL, id, testenv.UserID); err != nil {
						return err
					}
				}
			}
		}
		return nil
	})
}

// startDaemon runs the program until stop is called, which kills one that does not stop.
func (w *world) startDaemon(ctx context.Context, settings []string) (stop func() error, pid int, err error) {
	ctx, cancel := context.WithCancel(ctx)
	cmd := exec.CommandContext(ctx, w.binary, "run")
	cmd.Env = append(w.environment(), append(settings, "PRUNED_HTTP=127.0.0.1:0")...)
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGTERM) }
	cmd.WaitDelay = time.Minute
	if err := cmd.Start(); err != nil {
		cancel()
		return nil, 0, err
	}
	return func() error {
		cancel()
		if err := cmd.Wait(); err != nil && !errors.Is(err, context.Canceled) {
			return fmt.Errorf("pruned run: %w", err)
		}
		return nil
	}, cmd.Process.Pid, nil
}
