package main

import (
	"context"
	"errors"
	"os"
	"path/filepath"

	"pruned/repo/postgres"
	"pruned/vectors/chroma"
)

type vacuumCmd struct {
	Live bool `help:"Also a file of SQLite that another process has open: its writes wait meanwhile."`
}

// vacuumReport is what a vacuum came to, or would.
type vacuumReport struct {
	DryRun bool           `json:"dry_run"`
	Files  []*fileReport  `json:"files"`
	Tables []*tableReport `json:"tables"`
	Note   string         `json:"note,omitempty"`
}

var errNotVacuumed = errors.New("not everything was vacuumed")

// Run vacuums what pruned deletes rows from. Files that are refused are so before anything
// is done; of tables the rest goes on.
func (r *vacuumCmd) Run(ctx *runContext) error {
	var targets vacuumTargets
	// Opened to be recognized, and closed again: else we would have the files open ourselves.
	err := ctx.runWith(ctx, func(a *app) (err error) {
		targets, err = ctx.findVacuumTargets(ctx, a)
		return err
	}, openDatabase, openVectorStore)
	if err != nil {
		return err
	}
	report := &vacuumReport{DryRun: ctx.cli.Consumer.DryRun, Files: []*fileReport{}, Tables: []*tableReport{}}
	files, err := r.openFiles(ctx, targets.files)
	defer func() { closeFiles(files) }()
	if err != nil {
		return err
	}
	for _, group := range targets.tables {
		if err := r.vacuumTables(ctx, group, report); err != nil {
			return err
		}
	}
	r.vacuumFiles(ctx, files, report)
	return errors.Join(report.printReport(ctx.command), report.findFailure())
}

// findFailure returns an error where anything is left as it was.
func (v *vacuumReport) findFailure() error {
	for _, f := range v.Files {
		if f.Error != "" {
			return errNotVacuumed
		}
	}
	for _, t := range v.Tables {
		if t.Error != "" {
			return errNotVacuumed
		}
	}
	return nil
}

// vacuumTargets are what pruned deletes rows from: files of SQLite, and tables.
type vacuumTargets struct {
	files  []string
	tables []tableGroup
}

// tableGroup are tables that are reached by one address.
type tableGroup struct {
	url   string
	names []string // quoted, with their schemas
}

func (c *command) findVacuumTargets(ctx context.Context, a *app) (t vacuumTargets, err error) {
	if path, ok := c.cli.Database.SQLite(); ok {
		if path, err = filepath.EvalSymlinks(path); err != nil { // the log lies beside the file
			return t, err
		}
		t.files = append(t.files, path)
	}
	if db, ok := a.db.Admin.(*postgres.DB); ok {
		t.tables = append(t.tables, tableGroup{string(c.cli.Database.URL), db.DeletedFrom()})
	}
	switch store := a.store.(type) {
	case *chroma.Embedded:
		path, err := filepath.EvalSymlinks(store.DatabaseFile())
		if info, missing := os.Stat(path); err == nil && missing == nil && info.Size() > 0 {
			t.files = append(t.files, path)
		}
	case chunkTable:
		name, err := store.TableName(ctx)
		if err != nil {
			return t, err
		}
		if name != "" {
			t.addTable(string(c.cli.Vectors.URL), name)
		}
	}
	return t, nil
}

// addTable adds a table to those of the same address, or as reached by one of its own.
func (t *vacuumTargets) addTable(url, name string) {
	for i := range t.tables {
		if t.tables[i].url == url {
			t.tables[i].names = append(t.tables[i].names, name)
			return
		}
	}
	t.tables = append(t.tables, tableGroup{url, []string{name}})
}
