package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/jackc/pgx/v5"

	"pruned/repo/testenv"
)

// trashRun is one drain with or without a trash. Seconds of processors and bytes of the log
// say the same on a machine that does something else besides.
type trashRun struct {
	wall, program, server float64 // seconds; of the two processors' for the last two
	logMB                 float64 // written ahead by PostgreSQL
}

// measureTrash measures what it costs to keep deleted rows, with short texts and with long
// ones, in turns on copies of the same data.
func (b *bench) measureTrash(ctx context.Context) error {
	for _, c := range []struct {
		files, bytes int
		text         string
	}{{4000, 0, "a sentence"}, {200, 1 << 20, "1 MB"}} {
		err := b.measureTrashOn(ctx, fmt.Sprintf("texts of %s", c.text), testenv.SeedOptions{
			Files: 2 * c.files / b.shrink, Orphans: c.files / b.shrink, FileBytes: c.bytes,
			ChunksPerFile: 10, Vectors: testenv.VectorOptions{Dim: 1536, Index: true},
		})
		if err != nil {
			return err
		}
	}
	return nil
}

func (b *bench) measureTrashOn(ctx context.Context, title string, o testenv.SeedOptions) error {
	origin, err := b.seedWorld(ctx, o, false)
	if err != nil {
		return err
	}
	folder, err := b.seedRowsFolder(ctx, o)
	if err != nil {
		return err
	}
	var postgres, sqlite [2][]trashRun // without and with
	for round := range b.rounds {
		for turn := range 2 {
			with := (round + turn) % 2
			setting := []string{"PRUNED_TRASH=0", "PRUNED_TRASH=72h"}[with]
			one, err := origin.drainForTrash(ctx, setting)
			if err != nil {
				return err
			}
			other, err := folder.drainForTrash(ctx, setting)
			if err != nil {
				return err
			}
			postgres[with], sqlite[with] = append(postgres[with], one), append(sqlite[with], other)
		}
	}
	rows := append(describeTrash("PostgreSQL, pgvector", postgres), describeTrash("SQLite, no vectors", sqlite)...)
	return errors.Join(origin.dropWorld(ctx), os.RemoveAll(folder.dir),
		printTable(fmt.Sprintf("Trash: %d orphans mixed with %d files in use, %s, two workers; medians of %d rounds, ratios round by round", o.Orphans, o.Files-o.Orphans, title, b.rounds),
			[]string{"", "s", "CPU-s of pruned", "CPU-s of the server", "log MB"}, rows))
}

// describeTrash has a line without a trash, one with, and their ratios.
func describeTrash(engine string, runs [2][]trashRun) (rows [][]string) {
	figures := []func(trashRun) float64{
		func(r trashRun) float64 { return r.wall }, func(r trashRun) float64 { return r.program },
		func(r trashRun) float64 { return r.server }, func(r trashRun) float64 { return r.logMB },
	}
	rows = [][]string{{engine + ", none"}, {engine + ", 72h"}, {"ratio"}}
	for _, figure := range figures {
		var values [2][]float64
		for with := range runs {
			for _, r := range runs[with] {
				values[with] = append(values[with], figure(r))
			}
			rows[with] = append(rows[with], fmt.Sprintf("%.2f", median(values[with])))
		}
		ratio := ""
		if median(values[0]) > 0 {
			ratio = fmt.Sprintf("%.2f", median(ratios(values[1], values[0])))
		}
		rows[2] = append(rows[2], ratio)
	}
	return rows
}

// drainForTrash drains a copy to which every file was reported.
func (w *world) drainForTrash(ctx context.Context, setting string) (r trashRun, err error) {
	c, err := w.copyWorld(ctx)
	if err != nil {
		return r, err
	}
	if err := c.prepareEvents(ctx, c.shuffledIDs()); err != nil {
		return r, err
	}
	began, logged, err := c.readServer(ctx)
	if err != nil {
		return r, err
	}
	drained, err := c.drainAll(ctx, setting, batchSetting)
	if err != nil {
		return r, err
	}
	ended, log, err := c.readServer(ctx)
	r = trashRun{drained.wall.Seconds(), drained.cpu.Seconds(), ended - began, (log - logged) / (1 << 20)}
	return r, errors.Join(err, c.dropWorld(ctx))
}

// readServer reads how long the server's processes have worked, and how much they logged.
func (w *world) readServer(ctx context.Context) (seconds, log float64, err error) {
	err = w.withConn(ctx, func(conn *pgx.Conn) error {
		var backend int
		err := conn.QueryRow(ctx, `SELECT pg_backend_pid(), pg_wal_lsn_diff(pg_current_wal_insert_lsn(), '0/0')::float8`).Scan(&backend, &log)
		if err == nil {
			seconds, err = processTreeSeconds(backend)
		}
		return err
	})
	return seconds, log, err
}

// ticks a second are what /proc counts in.
const ticks = 100

// processTreeSeconds sums up the parent of a process, its children, and those that it had.
func processTreeSeconds(child int) (float64, error) {
	stats, err := filepath.Glob("/proc/[0-9]*/stat")
	if err != nil {
		return 0, err
	}
	type process struct{ pid, parent, used, usedByDead int }
	all := map[int]process{}
	for _, path := range stats {
		text, err := os.ReadFile(path)
		if err != nil {
			continue // it has ended
		}
		var p process
		var utime, stime, cutime, cstime int
		_, rest, _ := strings.Cut(string(text), ") ")
		var state string
		var skipped [9]int
		fields := []any{&state, &p.parent}
		for i := range skipped {
			fields = append(fields, &skipped[i])
		}
		if _, err := fmt.Sscan(rest, append(fields, &utime, &stime, &cutime, &cstime)...); err != nil {
			return 0, fmt.Errorf("%s: %w", path, err)
		}
		if _, err := fmt.Sscan(string(text), &p.pid); err != nil {
			return 0, fmt.Errorf("%s: %w", path, err)
		}
		p.used, p.usedByDead = utime+stime, cutime+cstime
		all[p.pid] = p
	}
	server := all[child].parent
	total := all[server].used + all[server].usedByDead
	for _, p := range all {
		if p.parent == server {
			total += p.used
		}
	}
	return float64(total) / ticks, nil
}

// seedRowsFolder makes an installation on SQLite without vectors, so that nothing is
// measured but the rows.
func (b *bench) seedRowsFolder(ctx context.Context, o testenv.SeedOptions) (*folder, error) {
	i, err := b.makeInstallation("VECTOR_DB=none")
	if err != nil {
		return nil, err
	}
	f := &folder{installation: i}
	o.ChunksPerFile = 0
	f.Seeded, err = testenv.SeedSQLite(ctx, f.webui(), o)
	return f, err
}

// drainForTrash is the same on SQLite, which has no server and no log of all that is
// written.
func (f *folder) drainForTrash(ctx context.Context, setting string) (r trashRun, err error) {
	c, err := f.copyFolder()
	if err != nil {
		return r, err
	}
	c.stores = f.stores
	if err := c.prepareEvents(ctx, c.shuffledIDs()); err != nil {
		return r, err
	}
	drained, err := c.drainAll(ctx, setting, batchSetting)
	return trashRun{wall: drained.wall.Seconds(), program: drained.cpu.Seconds()}, errors.Join(err, os.RemoveAll(c.dir))
}
