package main

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"pruned/cmd/pruned/vacuum"
	"pruned/repo"
	"pruned/repo/postgres/pgerr"
)

// tableReport is what became of a table of PostgreSQL.
type tableReport struct {
	Table     string  `json:"table"`
	Before    int64   `json:"before"`
	After     *int64  `json:"after,omitempty"`
	DeadRows  int64   `json:"dead_rows"`
	DeadAfter *int64  `json:"dead_rows_after,omitempty"`
	TookS     float64 `json:"took_s,omitempty"`
	Warning   string  `json:"warning,omitempty"`
	Error     string  `json:"error,omitempty"`
	Remedy    string  `json:"remedy,omitempty"`
}

// pagesNote is what people expect of VACUUM, and what does it instead.
const pagesNote = "VACUUM gives pages back to their table, which fills them again, and not to the disk. " +
	"VACUUM FULL TABLE does: nobody reads or writes the table meanwhile, and the disk needs its size free. The extension pg_repack does it beside the application."

// unsoundHNSW warns of pgvector's own fault.
const unsoundHNSW = "pgvector %s is below 0.8.4, and its VACUUM of an hnsw index may fail: ALTER EXTENSION vector UPDATE, once the server has a newer one"

// connect opens a session for vacuums. warned is told what the server warns of; it may be
// nil.
func connect(ctx context.Context, url string, warned pgconn.NoticeHandler) (*pgx.Conn, error) {
	config, err := pgx.ParseConfig(url)
	if err != nil {
		return nil, pgerr.Translate(err, "read the address of the database")
	}
	config.DefaultQueryExecMode, config.OnNotice = pgx.QueryExecModeExec, warned
	if config.ConnectTimeout == 0 {
		config.ConnectTimeout = 10 * time.Second
	}
	if _, set := config.RuntimeParams["application_name"]; !set {
		config.RuntimeParams["application_name"] = "pruned"
	}
	conn, err := pgx.ConnectConfig(ctx, config)
	return conn, pgerr.Translate(err, "connect to PostgreSQL")
}

// closeSession says farewell to the server, also where the caller gave up, but not for ever.
func closeSession(ctx context.Context, conn *pgx.Conn) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Second)
	defer cancel()
	_ = conn.Close(ctx)
}

// vacuumTables vacuums every table that the role may, and tells of the others.
func (r *vacuumCmd) vacuumTables(ctx *runContext, group tableGroup, report *vacuumReport) error {
	conn, err := connect(ctx, group.url, nil)
	if err != nil {
		return err
	}
	defer closeSession(ctx, conn)
	tables, err := vacuum.ReadTables(ctx, conn, group.names)
	if err != nil {
		return pgerr.Translate(err, "read what the tables take")
	}
	report.Note = pagesNote
	defer ctx.showProgress(ctx, group.url, conn)()
	for _, table := range tables {
		t := newTableReport(table)
		report.Tables = append(report.Tables, t)
		if report.DryRun || t.Error != "" {
			continue
		}
		t.vacuumTable(ctx, conn, table)
		if err := ctx.Err(); err != nil {
			return err
		}
	}
	return nil
}

func newTableReport(table vacuum.Table) *tableReport {
	t := &tableReport{Table: table.Name, Before: table.Bytes, DeadRows: table.Dead}
	if table.HasUnsoundHNSW() {
		t.Warning = fmt.Sprintf(unsoundHNSW, table.HNSWVersion)
	}
	if !table.MayVacuum {
		t.Error, t.Remedy = "role "+table.Role+" may not vacuum it", table.Remedy()
	}
	return t
}

// vacuumTable vacuums one table. That it fails stops no other.
func (t *tableReport) vacuumTable(ctx context.Context, conn *pgx.Conn, table vacuum.Table) {
	began := time.Now()
	err := pgerr.Translate(table.Vacuum(ctx, conn), "vacuum %s", table.Name)
	t.TookS = time.Since(began).Seconds()
	if err != nil {
		t.Error = err.Error()
		if state := repo.SQLState(err); state == "57014" || state == "55P03" {
			t.Remedy = "a timeout of the role's ended it: ALTER ROLE " + table.Role + " SET statement_timeout = 0; ALTER ROLE " + table.Role + " SET lock_timeout = 0;"
		}
		return
	}
	after, err := vacuum.ReadTables(ctx, conn, []string{table.Name})
	if err != nil || len(after) != 1 {
		return
	}
	t.After = &after[0].Bytes
	if after[0].IsVacuumedSince(table) {
		t.DeadAfter = &after[0].Dead
	}
}

// showProgress shows on a terminal how far the vacuums of a session are, asked by a session
// of its own, until the function that it returns is called. Without that session nothing
// is shown, and nothing is wrong.
func (c *command) showProgress(ctx context.Context, url string, of *pgx.Conn) (stop func()) {
	if !isTerminal(c.stderr) || c.isJSON() {
		return func() {}
	}
	conn, err := connect(ctx, url, nil)
	if err != nil {
		return func() {}
	}
	bar := c.progressBarOf("pages", "vacuum")
	watching, cancel := context.WithCancel(ctx)
	var group sync.WaitGroup
	group.Go(func() {
		_ = vacuum.WatchProgress(watching, conn, of.PgConn().PID(), vacuum.Progress(stageProgress(bar)))
	})
	return func() {
		cancel()
		group.Wait()
		closeSession(ctx, conn)
		_ = bar.Finish()
	}
}
