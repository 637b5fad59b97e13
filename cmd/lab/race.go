package main

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"syscall"
	"time"

	"github.com/jackc/pgx/v5"
	"golang.org/x/sync/errgroup"

	"pruned/repo/testenv"
)

type raceCmd struct {
	Attaches int  `default:"100000" help:"How many, in each of the ways to run."`
	Verbose  bool `help:"Show what the program logs."`
}

// Run attaches files by JSON alone while sweeps and deletions run at full speed,
// and counts the attaches that were committed before their file was deleted: those
// that were lost.
func (c *raceCmd) Run(ctx context.Context) (err error) {
	l, err := newLab(ctx, "track_commit_timestamp=on")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, l.close()) }()
	l.verbose = c.Verbose
	var rows [][]string
	for _, way := range []struct {
		name     string
		settings []string
	}{
		{"PRUNED_ORPHAN_AGE=0", []string{"PRUNED_ORPHAN_AGE=0"}},
		{"PRUNED_ORPHAN_AGE=0 PRUNED_STRICT=true", []string{"PRUNED_ORPHAN_AGE=0", "PRUNED_STRICT=true"}},
		{"the default, PRUNED_ORPHAN_AGE=1h", []string{"PRUNED_ORPHAN_AGE=1h"}},
	} {
		r, err := l.race(ctx, c.Attaches, way.settings)
		if err != nil {
			return fmt.Errorf("%s: %w", way.name, err)
		}
		rows = append(rows, []string{way.name, fmt.Sprint(r.attached), fmt.Sprint(r.late), fmt.Sprint(r.deleted), fmt.Sprint(r.lost)})
	}
	return table(fmt.Sprintf("%d attaches of fresh files by the JSON of a chat, %d at once, while sweeps and deletions run", c.Attaches, attackers),
		[]string{"", "attached", "too late", "deleted", "lost"}, rows)
}

const (
	attackers = 4
	handful   = 400 // files that one of them uploads at once, and attaches every other of
)

// raced counts attaches: those whose file was still there, those that came too
// late, and of the former those whose file was deleted after they had committed.
type raced struct{ attached, late, deleted, lost int64 }

func (l *lab) race(ctx context.Context, attaches int, settings []string) (r raced, err error) {
	w, err := l.seed(ctx, testenv.SeedOptions{Files: 100, Orphans: 0, ChunksPerFile: 1, Vectors: testenv.VectorOptions{Dim: 3}}, false)
	if err != nil {
		return r, err
	}
	err = w.connected(ctx, func(conn *pgx.Conn) error {
		_, err := conn.Exec(ctx, `CREATE SCHEMA lab; CREATE TABLE lab.attach (file_id text)`)
		return err
	})
	if err != nil {
		return r, err
	}
	stop, err := w.daemon(ctx, append(settings, "PRUNED_MIN_AGE=0", "PRUNED_SWEEP_EVERY=1s", "PRUNED_MAX_FRACTION=1", "PRUNED_BATCH=100"))
	if err != nil {
		return r, err
	}
	group, attacking := errgroup.WithContext(ctx)
	for range attackers {
		group.Go(func() error { return w.attack(attacking, attaches/attackers) })
	}
	if err := errors.Join(group.Wait(), stop()); err != nil {
		return r, err
	}
	for sql, n := range map[string]*int64{
		`SELECT count(*) FROM lab.attach`:                              &r.attached,
		`SELECT count(*) FROM pruned.ledger WHERE outcome = 'deleted'`: &r.deleted,
		`SELECT count(*) FROM lab.attach a JOIN pruned.ledger l USING (file_id)
		  WHERE l.outcome = 'deleted' AND pg_xact_commit_timestamp(l.xmin) > pg_xact_commit_timestamp(a.xmin)`: &r.lost,
	} {
		if *n, err = w.count(ctx, sql); err != nil {
			return r, err
		}
	}
	r.late = int64(attaches/attackers*attackers) - r.attached
	return r, w.drop(ctx)
}

// attachSQL is a chat that is written if its file is there, as the application
// checks it. What it notes is in another schema, and no mention.
const attachSQL = `
WITH attached AS (
    INSERT INTO chat (id, user_id, title, chat, created_at, updated_at, archived)
    SELECT gen_random_uuid()::text, $2, 'race', json_build_object('files', json_build_array(json_build_object('type', 'file', 'id', $1::text))), 0, 0, false
     WHERE EXISTS (SELECT FROM file WHERE id = $1::text)
    RETURNING id)
INSERT INTO lab.attach SELECT $1::text FROM attached`

// attack uploads a few files at a time and attaches half of them, so that there is
// always something to delete, in any order, so that a deletion may come before,
// after, or at the same moment.
func (w *world) attack(ctx context.Context, attaches int) error {
	return w.connected(ctx, func(conn *pgx.Conn) error {
		var batches [][]string
		for done := 0; done < attaches; {
			var ids []string
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

// daemon runs the program until stop is called.
func (w *world) daemon(ctx context.Context, settings []string) (stop func() error, err error) {
	cmd := exec.CommandContext(ctx, w.binary, "run")
	cmd.Env = append(w.environment(), append(settings, "PRUNED_HTTP=127.0.0.1:0")...)
	if w.verbose {
		cmd.Stderr = os.Stderr
		cmd.Env = append(cmd.Env, "PRUNED_LOG_LEVEL=info")
	}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	return func() error {
		if err := cmd.Process.Signal(syscall.SIGTERM); err != nil && !errors.Is(err, os.ErrProcessDone) {
			return err
		}
		select {
		case err := <-ended:
			if err != nil {
				return fmt.Errorf("pruned run: %w", err)
			}
			return nil
		case <-time.After(time.Minute):
			return errors.Join(errors.New("pruned run does not stop"), cmd.Process.Kill())
		}
	}, nil
}
